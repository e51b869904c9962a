// Runs programs that the compiler turned into JavaScript, one after the other in one process of node, and writes what each
// did beside it. Here because starting node for each of several hundred programs would take minutes. Must stay true: the
// text that is written is the one that `browser.rs` writes of the machine's run; a mistake of the JavaScript itself is a
// text, too, and never ends the others.
import { readdirSync, writeFileSync } from "node:fs";

const folder = new URL("./", import.meta.url);
const TIME_MS = 1772600767000;

function text_of({ printed, error, gaveUp }) {
  const lines = printed.map((line) => `> ${line}`);
  // What was printed until then must be right all the same.
  if (gaveUp !== null) return [`gave up: ${gaveUp}`, ...lines, ""].join("\n");
  for (let cause = error, before = ""; cause !== null; cause = cause.cause, before += "cause ") {
    lines.push(`${before}error ${cause.kind} at ${cause.line}:${cause.column}: ${cause.message}`);
    lines.push(`  ${cause.entity ?? "-"} ${cause.field ?? "-"} ${cause.rule ?? "-"}`);
    for (const [name, line, column] of cause.trace) lines.push(`  in ${name} ${line}:${column}`);
  }
  return `${lines.join("\n")}\n`;
}

const programs = readdirSync(folder).filter((name) => /^\d+\.mjs$/.test(name));
for (const name of programs.sort()) {
  let text;
  try {
    const { run } = await import(new URL(name, folder));
    text = text_of(run(TIME_MS));
  } catch (problem) {
    text = `crashed: ${problem?.stack ?? problem}\n`;
  }
  writeFileSync(new URL(name.replace(".mjs", ".out"), folder), text);
}
