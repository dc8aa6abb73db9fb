// How this browser shows Belfry: colours, and alerts on the desktop.

import { permission } from "../../../bell/alerts.js";
import { h } from "../../../bell/dom.js";
import { SCHEMES, choose, scheme } from "../../scheme.js";
import { card } from "./card.js";

export function looks(app, words) {
  return card(words.looks, null, schemes(words), alerts(words));
}

function schemes(words) {
  const choices = SCHEMES.map((each) => {
    const radio = h("input", {
      type: "radio",
      name: "scheme",
      value: each,
      checked: each === scheme(),
      onchange: () => choose(each),
    });
    return h("label", { class: "choice" }, radio, words.schemes[each]);
  });
  return h("fieldset", { class: "choices" }, h("legend", {}, words.scheme), ...choices);
}

function alerts(words) {
  const box = h("div", { class: "row-of-two" });
  const show = () => {
    const state = permission();
    const ask = async () => {
      await Notification.requestPermission();
      show();
    };
    const button = h("button", { class: "button", onclick: ask }, words.allow);
    box.replaceChildren(
      h("div", {}, h("h3", {}, words.alerts), h("p", { class: "soft" }, words.alertsAre[state])),
      ...(state === "default" ? [button] : []),
    );
  };
  show();
  return box;
}
