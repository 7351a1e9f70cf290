/** Fields for values of any input type. */
import {
  getNamedType,
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
} from "graphql";
import { halves } from "../both.jsx";
import { beginning } from "./document.js";

const HINTS = { Date: "2026-01-31", DateTime: "2026-01-31T08:00:00+07:00", PartialDate: "1957-03" };

/** Return what a text field's content means as a value of `type`; undefined for nothing. */
function read(text, type) {
  if (text === "") return undefined;
  if (["Int", "Float"].includes(type.name) && Number.isFinite(Number(text))) return Number(text);
  return text;
}

function Choice({ label, values, value, onChange, isRequired }) {
  return (
    <select
      aria-label={label}
      value={value === undefined ? "" : String(value)}
      onChange={(event) => onChange(event.target.value || undefined)}
    >
      {!(isRequired && value !== undefined) && <option value="">—</option>}
      {values.map(({ name, vi }) => (
        <option key={name} value={name}>
          {name}
          {vi && ` · ${vi}`}
        </option>
      ))}
    </select>
  );
}

function Items({ type, value, onChange, label, persons }) {
  const items = Array.isArray(value) ? value : [];
  const put = (index, item) => {
    const next = items.map((other, at) => (at === index ? item : other));
    onChange(next.filter((other) => other !== undefined));
  };
  return (
    <div className="items">
      {items.map((item, index) => (
        <div key={index} className="item">
          <ValueInput
            type={type.ofType}
            value={item}
            onChange={(next) => put(index, next ?? "")}
            label={`${label} ${index + 1}`}
            persons={persons}
          />
          <button
            type="button"
            className="small"
            aria-label={`Bỏ / Remove ${label} ${index + 1}`}
            onClick={() => put(index, undefined)}
          >
            ×
          </button>
        </div>
      ))}
      <button
        type="button"
        className="small"
        aria-label={`Thêm / Add ${label}`}
        onClick={() => onChange([...items, beginning(type.ofType, persons)])}
      >
        +
      </button>
    </div>
  );
}

function Parts({ type, value, onChange, label, persons }) {
  const fields = Object.values(type.getFields());
  const present = value ?? {};
  const put = (name, item) => {
    const { [name]: _, ...others } = present;
    onChange(item === undefined ? others : { ...others, [name]: item });
  };
  const [current] = Object.keys(present);
  return (
    <fieldset className="parts">
      <legend className="hidden">{label}</legend>
      {type.isOneOf && (
        <Choice
          label={`${label}: loại / kind`}
          values={fields.map((field) => ({ name: field.name, vi: halves(field.description).vi }))}
          value={current}
          isRequired
          onChange={(name) =>
            onChange({ [name]: beginning(fields.find((field) => field.name === name).type, persons) })
          }
        />
      )}
      {fields
        .filter((field) => !type.isOneOf || field.name === current)
        .map((field) => (
          <Argument
            key={field.name}
            argument={field}
            value={present[field.name]}
            onChange={(item) => put(field.name, item)}
            persons={persons}
          />
        ))}
    </fieldset>
  );
}

/** A field for one value. `onChange` gets the value as JSON has it; undefined for none. */
export function ValueInput({ type: whole, value, onChange, label, persons }) {
  const isRequired = isNonNullType(whole);
  const type = isRequired ? whole.ofType : whole;
  if (isListType(type)) return <Items {...{ type, value, onChange, label, persons }} />;
  if (isInputObjectType(type)) {
    if (value === undefined && !isRequired) {
      return (
        <button
          type="button"
          className="small"
          aria-label={`Thêm / Add ${label}`}
          onClick={() => onChange(beginning(type, persons))}
        >
          +
        </button>
      );
    }
    return <Parts {...{ type, value, onChange, label, persons }} />;
  }
  if (isEnumType(type)) {
    const values = type
      .getValues()
      .map(({ name, description }) => ({ name, vi: halves(description).vi }));
    return <Choice {...{ label, values, value, onChange, isRequired }} />;
  }
  if (type.name === "Boolean") {
    const values = [
      { name: "true", vi: "có" },
      { name: "false", vi: "không" },
    ];
    const change = (text) => onChange(text === undefined ? undefined : text === "true");
    return <Choice {...{ label, values, value, isRequired }} onChange={change} />;
  }
  return (
    <input
      aria-label={label}
      value={value ?? ""}
      placeholder={HINTS[type.name] ?? type.name}
      inputMode={type.name === "Int" || type.name === "PersonNumber" ? "numeric" : undefined}
      list={type.name === "PersonNumber" ? "personas" : undefined}
      autoComplete="off"
      spellCheck="false"
      onChange={(event) => onChange(read(event.target.value.trimStart(), type) ?? (isRequired ? "" : undefined))}
    />
  );
}

/** A named value: an argument of a field, or a field of an input object. */
export function Argument({ argument, value, onChange, persons }) {
  const isRequired = isNonNullType(argument.type) && argument.defaultValue === undefined;
  const { vi } = halves(argument.description);
  const hasParts = isInputObjectType(getNamedType(argument.type));
  return (
    <div className={`argument ${hasParts ? "tall" : ""}`}>
      <span title={argument.description ?? String(argument.type)}>
        {argument.name}
        {isRequired && (
          <b title="bắt buộc / required" aria-hidden="true">
            *
          </b>
        )}
        {vi && <small>{vi}</small>}
      </span>
      <ValueInput
        type={argument.type}
        value={value}
        onChange={onChange}
        label={argument.name}
        persons={persons}
      />
    </div>
  );
}

