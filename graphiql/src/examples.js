/** Example queries, made from the schema at hand: a database added to the gateway shows up by itself. */
import { getNamedType, isLeafType, isNonNullType, isObjectType, parse, print } from "graphql";

/** Fields worth showing first, where a record has them; else its first plain fields are taken. */
const TELLING = ["fullName", "name", "birthDate", "registrationDate", "status"];
const PLAIN_FIELDS = 3;
const PARTIES = ["husband", "wife"];
const LISTS_PER_SECTION = 3;

/** The lists of a well-known person that every civil-status officer may read. */
const DESK = { population: ["identity"], civilStatus: ["births", "marriages"] };

const fields = (type) => Object.values(type.getFields());
const needsNothing = (field) =>
  field.args.every((one) => !isNonNullType(one.type) || one.defaultValue !== undefined);

function plainFields(type) {
  const leaves = fields(type).filter((one) => isLeafType(getNamedType(one.type)));
  const names = leaves.filter(needsNothing).map((one) => one.name);
  const telling = TELLING.filter((name) => names.includes(name));
  const others = names.filter((name) => !/(Id|No|Code)$/.test(name));
  return (telling.length > 1 ? telling : others.length ? others : names).slice(0, PLAIN_FIELDS);
}

/** Select one list (or single record) of a section, with its source report. */
function list(field) {
  const type = getNamedType(field.type);
  const holder = type.getFields().items ?? type.getFields().item;
  const record = getNamedType(holder.type);
  const parties = PARTIES.filter((name) => record.getFields()[name]).map((name) => `${name} { name }`);
  const selected = [...plainFields(record), ...parties].join(" ");
  return `${field.name} { ${holder.name} { ${selected} } source { state } }`;
}

const isList = (field) => {
  const type = getNamedType(field.type);
  const has = isObjectType(type) ? type.getFields() : {};
  const holder = has.items ?? has.item;
  return (
    needsNothing(field) && "source" in has && holder && isObjectType(getNamedType(holder.type))
  );
};

const isSection = (field) => {
  const type = getNamedType(field.type);
  return isObjectType(type) && type.name.endsWith("Section");
};

/** Select sections of a person; `wanted` names lists by section, without it all are taken. */
function sections(person, wanted) {
  return fields(person)
    .filter((section) => isSection(section) && (!wanted || wanted[section.name]))
    .map((section) => {
      const lists = fields(getNamedType(section.type)).filter(isList);
      const chosen = wanted
        ? lists.filter((one) => wanted[section.name].includes(one.name))
        : lists.slice(0, LISTS_PER_SECTION);
      return `${section.name} { source { state asOf } ${chosen.map(list).join(" ")} }`;
    })
    .join(" ");
}

/** Return the examples that `schema` allows: [{ key, vi, en, query, variables }]. */
export function examples(schema) {
  const person = schema?.getType("Person");
  const root = schema?.getQueryType()?.getFields() ?? {};
  if (!person) return [];
  const notices = "notices { code message { vi en } }";
  const found = [
    {
      key: "person",
      vi: "Một người",
      en: "One person",
      query: `query Person($id: PersonNumber!) { person(id: $id) { id ${notices} ${sections(person, DESK)} } }`,
      variables: (chosen) => ({ id: chosen[0] }),
    },
    {
      key: "person",
      vi: "Mọi CSDL",
      en: "Every database",
      query: `query EveryDatabase($id: PersonNumber!) { person(id: $id) { id ${notices} ${sections(person)} } }`,
      variables: (chosen) => ({ id: chosen[0] }),
    },
    {
      key: "me",
      vi: "Chính tôi",
      en: "Me",
      query: `query Me { me { id ${notices} ${sections(person)} } }`,
    },
    {
      key: "persons",
      vi: "Nhiều người",
      en: "Persons",
      query: `query Persons($ids: [PersonNumber!]!) { persons(ids: $ids) { id askedAs ${sections(person, { population: ["identity"] })} } }`,
      variables: (chosen) => ({ ids: chosen }),
    },
    {
      key: "databases",
      vi: "Danh mục",
      en: "Databases",
      query: "query Databases { databases { name title { vi en } group } }",
    },
  ];
  return found
    .filter((one) => one.key in root)
    .map((one) => ({ ...one, query: print(parse(one.query)) }));
}
