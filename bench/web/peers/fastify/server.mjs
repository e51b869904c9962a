// The application of pages/notes.flin as one would write it with Fastify and better-sqlite3. Must stay true: kept statements, a
// write-ahead log, every commit durable before its answer, text escaped.
import { join } from "node:path";
import Database from "better-sqlite3";
import Fastify from "fastify";

const [port, folder] = process.argv.slice(2);
const db = new Database(join(folder, "notes.sqlite"));
db.pragma("journal_mode = WAL");
db.pragma("synchronous = FULL");
db.exec("CREATE TABLE IF NOT EXISTS note (id INTEGER PRIMARY KEY, title TEXT NOT NULL, body TEXT, done INTEGER NOT NULL DEFAULT 0)");
const latest = db.prepare("SELECT title, body, done FROM note ORDER BY id DESC LIMIT 50");
const insert = db.prepare("INSERT INTO note (title, body) VALUES (?, ?)");

const ESCAPES = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
const escape = (text) => (text ?? "").replace(/[&<>"]/g, (found) => ESCAPES[found]);
const row = (note) => `<li class="${note.done ? "done" : "open"}"><b>${escape(note.title)}</b> ${escape(note.body)}</li>`;

const app = Fastify();
app.get("/", (request, reply) => {
  reply.type("text/html; charset=utf-8");
  const rows = latest.all().map(row).join("");
  return `<!doctype html><html lang="en"><head><title>Notes</title></head><body><h1>Latest notes</h1><ul>${rows}</ul></body></html>`;
});
const note = {
  type: "object",
  required: ["title"],
  properties: { title: { type: "string", minLength: 1, maxLength: 120 }, body: { type: "string" } },
};
app.post("/api/notes", { schema: { body: note } }, (request, reply) => {
  const { lastInsertRowid } = insert.run(request.body.title, request.body.body ?? null);
  reply.code(201);
  return { id: Number(lastInsertRowid) };
});
await app.listen({ port: Number(port), host: "127.0.0.1" });
