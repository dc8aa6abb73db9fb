// Text that others wrote, made fit to be shown: nobody may turn our page around, or hide in what looks empty.

// Controls but for the line break and tab; marks that turn writing around (we isolate instead); what has no width, but
// for the joiners that scripts and emoji need; tags, and marks between lines. (UTS #39 and TR #36 name the dangers.)
const UNSEEN =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u115f\u1160\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb]|[\u{e0000}-\u{e007f}]/gu;

/** The text without what cannot be seen; at most three combining marks stay on one letter. */
export function visible(text) {
  return text.replace(UNSEEN, "").replace(/(\p{M}{3})\p{M}+/gu, "$1").trim();
}

/** The address if it is one of the web, else null: no other scheme ever becomes a link. */
export function webAddress(link) {
  if (!link || !URL.canParse(link)) return null;
  const url = new URL(link);
  return url.protocol === "https:" || url.protocol === "http:" ? url : null;
}
