import { knownManufacturer } from "../manufacturers.ts";
import { cleanedCode, codeSequences } from "./codes.ts";
import { textElement, type DataElement } from "./elements.ts";
import type { Identifiers } from "./identifiers.ts";
import { ruleFor, type Rule } from "./profile.ts";
import {
  cleanedMoment,
  dummyFor,
  isPlainValue,
  keptClassUid,
  replacedUids,
  textValues,
  type Replacements,
} from "./values.ts";

/** How many elements of the original went which way, sequences and their contents included. */
export interface Tally {
  removed: number;
  replaced: number;
  kept: number;
}

export interface CleaningContext {
  readonly replacements: Replacements;
  readonly identifiers: Identifiers;
  readonly keepCharacteristics: boolean;
  readonly tally: Tally;
}

const numbers = new Set(["AT", "FD", "FL", "OV", "OW", "SL", "SS", "UL", "US"]);
const manufacturerTag = "00080070";
/** Over 89 years, age alone can single a person out (45 CFR 164.514 (b)(2)(i)(C)). */
const highestAgeYears = 90;

/** The elements of a data set or item that may stand in a copy, changed as the profile says. */
export function cleanedElements(
  elements: readonly DataElement[],
  context: CleaningContext,
): readonly DataElement[] {
  return elements.flatMap((element) => {
    // Groups are rewritten or fall away as a whole: file meta, private ones, group lengths.
    if (element.tag.startsWith("0002") || element.tag.endsWith("0000")) return [];
    const cleaned = cleanedElement(element, context);
    if (cleaned === null) context.tally.removed++;
    return cleaned === null ? [] : [cleaned];
  });
}

function cleanedElement(element: DataElement, context: CleaningContext): DataElement | null {
  const rule = ruleFor(element.tag, context.keepCharacteristics);
  const isSequence = rule.vr === "SQ";
  if (rule.action === "X" || isSequence !== (element.items !== null || isEmpty(element, rule))) {
    return null;
  }
  if (isSequence) return cleanedSequence(element, rule, context);
  const text = replacement(element, rule, context);
  if (text === "keep") {
    context.tally.kept++;
    return { ...element, vr: element.vr ?? rule.vr };
  }
  if (text === null) return null;
  context.tally.replaced++;
  return textElement(element.tag, element.vr ?? rule.vr, text.value);
}

function isEmpty({ value }: DataElement, { vr }: Rule): boolean {
  return vr === "SQ" && value.length === 0;
}

function cleanedSequence(
  { tag, items }: DataElement,
  { action }: Rule,
  context: CleaningContext,
): DataElement {
  const inside = (elements: readonly DataElement[]) => cleanedElements(elements, context);
  const cleaned =
    action === "Z"
      ? []
      : (items ?? []).map((item) =>
          codeSequences.has(tag) ? cleanedCode(item, inside) : inside(item),
        );
  context.tally.kept++;
  return {
    tag,
    vr: "SQ",
    value: new Uint8Array(0),
    items: cleaned.filter((item) => item !== null && item.length > 0) as (readonly DataElement[])[],
  };
}

/** The text to write instead, "keep" for the value as it is, null to remove the element. */
function replacement(
  element: DataElement,
  { vr, action }: Rule,
  { replacements, identifiers }: CleaningContext,
): { readonly value: string } | "keep" | null {
  const { value, tag } = element;
  if (value.length === 0) return action === "D" ? { value: dummyFor(vr, replacements) } : "keep";
  switch (action) {
    case "Z":
      return { value: "" };
    case "D":
      return { value: dummyFor(vr, replacements) };
    case "U":
      return vr === "UI" ? { value: replacedUids(value, replacements) } : null;
    case "C": {
      if (vr !== "DA" && vr !== "DT" && vr !== "TM") return null;
      const moved = cleanedMoment(vr, value, replacements);
      return { value: moved ?? "" };
    }
    case "K": {
      if (vr === "UI") return { value: keptClassUid(value, replacements) };
      if (numbers.has(vr)) return identifiers.inBytes(value) ? null : "keep";
      const text = textValues(value).join("\\");
      if (tag === manufacturerTag) {
        const known = knownManufacturer(text === "" ? null : text);
        return { value: known === null || known === "other" ? "" : known };
      }
      if (!isPlainValue(vr, value) || identifiers.inText(text)) return null;
      return vr === "AS" ? { value: cappedAge(text) } : "keep";
    }
    case "X":
      return null;
  }
}

function cappedAge(age: string): string {
  const years = age.endsWith("Y") ? Number(age.slice(0, 3)) : 0;
  return years >= highestAgeYears ? `0${highestAgeYears}Y` : age;
}
