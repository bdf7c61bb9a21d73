/** Which new passwords the server will take; it alone decides, and also refuses what is easy to guess. */

const LONG = 12
const SHORTEST = 8
const KINDS = 3

/** True when a password is neither long nor mixed enough. */
export function isTooSimple(password: string): boolean {
  const length = [...password].length
  return length < SHORTEST || (length < LONG && kindsOf(password) < KINDS)
}

function kindsOf(password: string): number {
  return [/\p{Ll}/u, /\p{Lu}/u, /\p{Nd}/u, /[^\p{Ll}\p{Lu}\p{Nd}]/u].filter((kind) => kind.test(password)).length
}
