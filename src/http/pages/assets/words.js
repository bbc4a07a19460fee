// Numbers in words that a person understands.

import { h } from "./dom.js";

const GUESSES_PER_SECOND = 12; // a trillion, as a power of ten
const YEAR = Math.log10(31_557_600);
const AGE_OF_UNIVERSE = Math.log10(13.8e9) + YEAR;
const NAMES = [[12, "trillion"], [9, "billion"], [6, "million"], [3, "thousand"]];

/** A power of ten as a text: 1234, 5.6 million, or null if it is too large for that. */
function named(exponent) {
  if (exponent >= 15) return null;
  const [size, name] = NAMES.find(([least]) => exponent >= least) ?? [0, ""];
  const number = 10 ** (exponent - size);
  return `${Number(number.toPrecision(number < 100 ? 2 : 3)).toLocaleString("en")} ${name}`.trim();
}

/** "about 2 × 10⁴⁶ passwords, a number with 47 digits" */
export function combinations(bits, what) {
  const exponent = bits * Math.log10(2);
  const text = named(exponent);
  if (text) return [`about ${text} ${what}`];
  const whole = Math.floor(exponent);
  const factor = (10 ** (exponent - whole)).toFixed(1);
  return [`about ${factor} × 10`, h("sup", {}, String(whole)), ` ${what}, a number with ${whole + 1} digits`];
}

/** How long guessing takes on average, at a trillion guesses a second. */
export function guessing(bits) {
  const seconds = (bits - 1) * Math.log10(2) - GUESSES_PER_SECOND;
  const fits = (size) => seconds < size;
  if (fits(0)) return "less than a second";
  if (fits(Math.log10(120))) return `${Math.round(10 ** seconds)} seconds`;
  if (fits(Math.log10(7200))) return `${Math.round(10 ** seconds / 60)} minutes`;
  if (fits(Math.log10(172_800))) return `${Math.round(10 ** seconds / 3600)} hours`;
  if (fits(YEAR + Math.log10(2))) return `${Math.round(10 ** seconds / 86_400)} days`;
  if (fits(AGE_OF_UNIVERSE)) return `${named(seconds - YEAR)} years`;
  const ages = named(seconds - AGE_OF_UNIVERSE);
  return ages ? `${ages} times the age of the universe` : "more than a thousand trillion times the age of the universe";
}
