// The one field that several cards ask for.

import { Field } from "../../ui/form.js";

/** One's own password, as it is now. */
export function ownPassword(words, name = "password") {
  return new Field(name, words.current, {
    type: "password",
    autocomplete: "current-password",
    required: true,
    explain: words.wrongPassword,
  });
}
