/** Who asks: token, purpose, case number; in the demo its callers and personas. */
import { Both } from "../both.jsx";
import { signedIn } from "../gateway.js";
import { Menu } from "./menu.jsx";

const NAMES = {
  citizen: ["Công dân", "citizen"],
  officer: ["Hộ tịch", "officer"],
  enforcement_officer: ["Thi hành án", "enforcement"],
  analyst: ["Phân tích", "analyst"],
  partner: ["Công chứng", "partner"],
  auditor: ["Kiểm toán", "auditor"],
  operator: ["Vận hành", "operator"],
  one_stop_desk: ["Một cửa", "one-stop desk"],
  bench: ["Đo tải", "bench"],
};

/** Say whose token it is, as far as it says itself. */
function Holder({ token, holder }) {
  if (!token) return null;
  if (!holder.expires) return <span className="wrong">không đọc được · unreadable</span>;
  const time = holder.expires.toLocaleTimeString("vi-VN", { hour: "2-digit", minute: "2-digit" });
  if (holder.expires < new Date()) return <span className="wrong">đã hết hạn · expired {time}</span>;
  return (
    <span>
      {holder.agency && `${holder.agency} · `}đến {time}
    </span>
  );
}

const Fields = ({ who, set, holder }) => (
  <div className="fields">
    <label className="token">
      <span>
        <Both vi="Mã truy cập" en="Token" />
        <em>
          <Holder token={who.token} holder={holder} />
        </em>
      </span>
      <input
        className="secret" // not type="password": browsers offer to save those
        name="token"
        autoComplete="off"
        spellCheck="false"
        value={who.token}
        onChange={(event) => set.token(event.target.value.trim())}
      />
    </label>
    <label>
      <span>
        <Both vi="Mục đích" en="Purpose" />
      </span>
      <input
        name="purpose"
        list="purposes"
        autoComplete="off"
        value={who.purpose}
        onChange={(event) => set.purpose(event.target.value.trim())}
      />
      <datalist id="purposes">
        {holder.purposes.map((purpose) => (
          <option key={purpose} value={purpose} />
        ))}
      </datalist>
    </label>
    <label>
      <span>
        <Both vi="Số hồ sơ" en="Case number" />
      </span>
      <input
        name="case-number"
        autoComplete="off"
        value={who.caseNumber}
        onChange={(event) => set.caseNumber(event.target.value.trim())}
      />
    </label>
  </div>
);

const Callers = ({ demo, current, actAs, persona, close }) => (
  <div className="chips" role="group" aria-label="Vào vai / Act as">
    <b>
      <Both vi="Vào vai" en="Act as" />
    </b>
    {demo.callers.map(({ name }) => {
      const [vi, en] = NAMES[name] ?? [name, ""];
      return (
        <button
          key={name}
          type="button"
          data-caller={name}
          aria-pressed={name === current}
          disabled={name === "citizen" && !demo.citizens[persona]}
          onClick={() => {
            actAs(name);
            close();
          }}
        >
          <Both vi={vi} en={en} />
        </button>
      );
    })}
  </div>
);

const Personas = ({ demo, persona, choosePersona }) => (
  <label>
    <span>
      <Both vi="Nhân vật" en="Persona" />
    </span>
    <select
      name="persona"
      value={persona}
      title={demo.personas.find((other) => other.id === persona)?.story}
      onChange={(event) => choosePersona(event.target.value)}
    >
      {demo.personas.map(({ id, story }) => (
        <option key={id} value={id}>
          {story.split(" / ")[0]} · {id}
        </option>
      ))}
    </select>
  </label>
);

/** The button says who asks and for what; the sheet changes it. */
export function Caller({ who, set, holder, demo, current, actAs, persona, choosePersona }) {
  const [name] = NAMES[current] ?? [holder.agency ?? "mã truy cập"];
  const isExpired = who.token && !(holder.expires > new Date());
  const label = (
    <span className="who">
      <small>
        <Both vi="Người gọi" en="Caller" />
      </small>
      {isExpired && <b className="wrong">▲ </b>}
      {who.token ? name : (signedIn ?? "chưa có mã truy cập")}
      {who.purpose && ` · ${who.purpose}`}
      {who.caseNumber && ` · ${who.caseNumber}`}
    </span>
  );
  return (
    <Menu id="caller" label={label} className="caller" wide>
      {(close) => (
        <>
          {demo && (
            <>
              <p className="note">
                <Both
                  vi="Bản dùng thử: không có người thật."
                  en="A demo: nobody here is real."
                />
              </p>
              <Callers {...{ demo, current, actAs, persona, close }} />
              <div className="fields">
                <Personas {...{ demo, persona, choosePersona }} />
              </div>
            </>
          )}
          <Fields {...{ who, set, holder }} />
        </>
      )}
    </Menu>
  );
}
