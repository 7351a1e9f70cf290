/** Example queries, made from the schema at hand: a database added to the gateway shows up by itself. */
import { getNamedType, isObjectType, parse, print } from "graphql";
import { listHolder, needsNothing, plainFields } from "./schema.js";

const PARTIES = ["husband", "wife"];
const LISTS_PER_SECTION = 3;

/** The lists of a well-known person that every civil-status officer may read. */
const DESK = { population: ["identity"], civilStatus: ["births", "marriages"] };

/** Who the examples are for, in the order of the menu. */
export const ROLES = {
  officer: { vi: "Cán bộ", en: "Officer" },
  citizen: { vi: "Công dân", en: "Citizen" },
  analyst: { vi: "Phân tích", en: "Analyst" },
  everybody: { vi: "Ai cũng được", en: "Everybody" },
};

const fields = (type) => Object.values(type.getFields());

/** Select one list (or single record) of a section, with its source report. */
function list(field) {
  const holder = listHolder(getNamedType(field.type));
  const record = getNamedType(holder.type);
  const parties = PARTIES.filter((name) => record.getFields()[name]).map((name) => `${name} { name }`);
  const selected = [...plainFields(record), ...parties].join(" ");
  return `${field.name} { ${holder.name} { ${selected} } source { state asOf } }`;
}

const isList = (field) => {
  const holder = listHolder(getNamedType(field.type));
  return needsNothing(field) && holder && isObjectType(getNamedType(holder.type));
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
        ? lists.filter((field) => wanted[section.name].includes(field.name))
        : lists.slice(0, LISTS_PER_SECTION);
      return `${section.name} { ${chosen.map(list).join(" ")} }`;
    })
    .join(" ");
}

/** Return the examples that `schema` allows: [{ role, root, vi, en, query, variables }]. */
export function examples(schema) {
  const person = schema?.getType("Person");
  const root = schema?.getQueryType()?.getFields() ?? {};
  if (!person) return [];
  const notices = "notices { code message { vi en } }";
  const everything = [
    {
      role: "officer",
      root: "person",
      vi: "Một người",
      en: "One person",
      query: `query Person($id: PersonNumber!) { person(id: $id) { id ${notices} ${sections(person, DESK)} } }`,
      variables: (chosen) => ({ id: chosen[0] }),
    },
    {
      role: "officer",
      root: "person",
      vi: "Mọi CSDL",
      en: "Every database",
      query: `query EveryDatabase($id: PersonNumber!) { person(id: $id) { id ${notices} ${sections(person)} } }`,
      variables: (chosen) => ({ id: chosen[0] }),
    },
    {
      role: "officer",
      root: "persons",
      vi: "Nhiều người",
      en: "Persons",
      query: `query Persons($ids: [PersonNumber!]!) { persons(ids: $ids) { id askedAs ${sections(person, { population: ["identity"] })} } }`,
      variables: (chosen) => ({ ids: chosen }),
    },
    {
      role: "citizen",
      root: "me",
      vi: "Chính tôi",
      en: "Me",
      query: `query Me { me { id ${notices} ${sections(person)} } }`,
    },
    {
      role: "analyst",
      root: "statistics",
      vi: "Kết hôn theo năm",
      en: "Marriages by year",
      query: `query MarriagesByYear { statistics(database: "civil_status", record: "marriages", groupBy: ["YEAR"]) { countedBefore cells { values count } total source { state } } }`,
    },
    {
      role: "everybody",
      root: "databases",
      vi: "Danh mục",
      en: "Databases",
      query: "query Databases { databases { name title { vi en } group } }",
    },
    {
      role: "everybody",
      root: "procedures",
      vi: "Thủ tục kiểm tra được",
      en: "Procedures to check",
      query:
        "query Procedures { procedures(canBeChecked: true) { code title { vi en } } }",
    },
    {
      role: "everybody",
      root: "myAccess",
      vi: "Quyền của tôi",
      en: "My access",
      query: "query MyAccess { myAccess { client agency expiresAt scopes seesOwnView } }",
    },
  ];
  return everything
    .filter((example) => example.root in root)
    .map((example) => ({ ...example, query: print(parse(example.query)) }));
}
