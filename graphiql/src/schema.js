/** What the page reads from the schema. */
import {
  getNamedType,
  isInputObjectType,
  isInterfaceType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
} from "graphql";

/** Fields worth showing first, where a record has them; else its first plain fields are taken. */
const TELLING = ["fullName", "name", "birthDate", "registrationDate", "status"];
const PLAIN_FIELDS = 3;

/** Scalars that say which person is meant. */
const NUMBERS = ["PersonNumber", "CitizenID"];
/** Interfaces of what registers hold about persons and things, and of the ways to it. */
const OF_REGISTERS = ["Record", "RecordList", "SingleRecord", "Section"];

const fields = (type) => Object.values(type.getFields());

/** Whether a field can be selected without arguments. */
export const needsNothing = (field) =>
  field.args.every((argument) => !isNonNullType(argument.type) || argument.defaultValue !== undefined);

/** Whether a field has rows as such: its type is a list of objects. */
export function isListOfObjects(type) {
  const bare = isNonNullType(type) ? type.ofType : type;
  return isListType(bare) && !isLeafType(getNamedType(bare));
}

/** Return the field of `type` that holds its rows (items) or its record (item), if it has a source. */
export function listHolder(type) {
  const own = isObjectType(type) || isInterfaceType(type) ? type.getFields() : {};
  return "source" in own ? (own.items ?? own.item) : undefined;
}

/** Return the names of up to three fields that tell what a record is about. */
export function plainFields(type) {
  const leaves = fields(type).filter(
    (field) => isLeafType(getNamedType(field.type)) && needsNothing(field),
  );
  const names = leaves.map((field) => field.name);
  const telling = TELLING.filter((name) => names.includes(name));
  const others = names.filter((name) => !/(Id|No|Code)$/.test(name));
  return (telling.length > 1 ? telling : others.length ? others : names).slice(0, PLAIN_FIELDS);
}

/** Whether an input type is, or holds at any depth, the number of a person. */
function takesNumber(type, seen = new Set()) {
  const named = getNamedType(type);
  if (NUMBERS.includes(named.name)) return true;
  if (!isInputObjectType(named) || seen.has(named)) return false;
  seen.add(named);
  return fields(named).some((field) => takesNumber(field.type, seen));
}

function reachesPersons(type, answersOfNumbers, seen = new Set()) {
  const named = getNamedType(type);
  if (NUMBERS.includes(named.name) || answersOfNumbers.has(named)) return true;
  if (isLeafType(named) || seen.has(named)) return false;
  seen.add(named);
  const interfaces = "getInterfaces" in named ? named.getInterfaces() : [];
  if ([named, ...interfaces].some(({ name }) => OF_REGISTERS.includes(name))) return true;
  if (!("getFields" in named)) return true; // a union: be careful
  return fields(named).some((field) => reachesPersons(field.type, answersOfNumbers, seen));
}

/**
 * Whether nothing that a root field answers can name a person.
 *
 * It takes no person's number, and from its type nothing of these can be reached, whatever is
 * selected: the number of a person, a record of a register, and a type with which another root field
 * answers about a number. An unknown field could name anybody.
 */
export function namesNobody(schema, rootField) {
  const root = schema?.getQueryType()?.getFields() ?? {};
  const field = root[rootField];
  const takesNumbers = ({ args }) => args.some((argument) => takesNumber(argument.type));
  if (!field || takesNumbers(field)) return false;
  const aboutNumbers = Object.values(root).filter(takesNumbers);
  const answers = new Set(aboutNumbers.map((other) => getNamedType(other.type)));
  return !reachesPersons(field.type, answers);
}
