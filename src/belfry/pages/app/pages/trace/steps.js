// A trace as steps in time.

const GOOD = ["sent"];
const BAD = ["refused", "lost"];

/**
 * What happened, in order: `{at, text, kind, by, said}`. `at` is ISO 8601, or null where the time is not known; `kind` is "good",
 * "bad", "warn", "next" for what is to come, or nothing; `said` are the mail server's words.
 */
export function stepsOf(trace, words) {
  const steps = [...happened(trace, words)].sort((one, other) => new Date(one.at) - new Date(other.at));
  return [...steps, ...trace.deliveries.flatMap((delivery) => [...stands(delivery, words)]), ...ended(trace, words)];
}

function* happened(trace, words) {
  yield { at: trace.accepted_at, text: words.accepted };
  if (trace.arrived_at) yield { at: trace.arrived_at, text: words.arrived, kind: "good" };
  else if (trace.send_at) yield { at: trace.send_at, text: words.scheduled, kind: "next" };
  if (trace.expansion) {
    yield { at: trace.expansion.started_at, text: words.expanding };
    if (trace.expansion.finished_at) yield { at: trace.expansion.finished_at, text: words.expanded(trace.expansion.created) };
  }
  for (const delivery of trace.deliveries) yield* tried(delivery, words);
  if (trace.read_at) yield { at: trace.read_at, text: words.read, kind: "good" };
}

function* tried({ queued_at, attempts }, words) {
  if (queued_at) yield { at: queued_at, text: words.queued };
  for (const [index, { started_at, ended_at, worker, outcome, code, text }] of attempts.entries()) {
    const [what, by] = words.attempt(index + 1, worker || words.unknownWorker);
    yield { at: started_at, text: what, by };
    const said = [code, text].filter((each) => each != null).join(" ");
    yield { at: ended_at, text: words.outcome[outcome] ?? outcome, said, kind: GOOD.includes(outcome) ? "good" : BAD.includes(outcome) ? "bad" : "warn" };
  }
}

/** Where an e-mail is now, or why it is nowhere. */
function* stands({ status, due_at, worker, handed_over_at, reason, attempts }, words) {
  if (status === "pending") yield { at: due_at, text: attempts.length ? words.dueAgain : words.due, kind: "next" };
  if (status === "processing") yield { at: handed_over_at, text: handed_over_at ? words.handedOver : words.processing(worker), kind: "next" };
  const last = attempts.at(-1);
  const known = reason === last?.text || reason === `${last?.code} ${last?.text}`; // as the last attempt says
  if (words.final[status]) yield { at: null, text: words.final[status], said: known ? null : reason, kind: status === "failed" ? "bad" : "warn" };
}

function* ended({ status, reason, deliveries }, words) {
  if (status === "cancelled" && !deliveries.length) yield { at: null, text: words.final.cancelled, said: reason, kind: "warn" };
}
