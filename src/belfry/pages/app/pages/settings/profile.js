// Name, language and time zone.

import { h } from "../../../bell/dom.js";
import { Field, Form } from "../../ui/form.js";
import { card } from "./card.js";
import { WORDS } from "./words.js";

const LANGUAGES = { en: "English", "zh-Hans": "简体中文" };

export function profile(app, words) {
  const { me } = app;
  const language = h(
    "select",
    {},
    ...Object.entries(LANGUAGES).map(([value, label]) =>
      h("option", { value, lang: value, selected: value === me.language }, label),
    ),
  );
  const zones = [...new Set([...Intl.supportedValuesOf("timeZone"), "UTC", me.time_zone])].sort();
  const zone = h(
    "select",
    {},
    ...zones.map((value) => h("option", { value, selected: value === me.time_zone }, value.replaceAll("_", " "))),
  );
  const form = new Form(app, {
    fields: [
      new Field("display_name", words.name, {
        autocomplete: "name",
        maxlength: 100,
        required: me.display_name !== "",
        value: me.display_name,
      }),
      new Field("language", words.language, { control: language }),
      new Field("time_zone", words.timeZone, { control: zone, hint: words.zoneHint }),
    ],
    submit: words.save,
    async send({ display_name, ...change }) {
      const name = display_name.trim();
      app.became(await app.api.patch("v1/me", { ...change, ...(name && { display_name: name }) }));
      app.toast(app.words(WORDS).saved); // perhaps in another language now
    },
  });
  return card(words.profile, words.profileText, form.element);
}
