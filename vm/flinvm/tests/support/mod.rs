//! What the end-to-end tests share: a program with made-up names, compiled to a file, and a folder of its own for each
//! test. Must stay true: nothing of the examples' names is used, so that nothing can work for them alone.
#![allow(dead_code, reason = "each test program uses a part of it")]
#![allow(
    unreachable_pub,
    reason = "what it offers is offered to its test programs"
)]

pub mod tab;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU32, Ordering};

use flin_runtime::vm::bytecode::fbc;
use flin_testkit::http;
use flin_testkit::process::Server;

/// A page over one entity. Every way to change a record stands in a function that an action calls.
pub const ZEBRAS: &str = r#"
entity Zebra {
  moniker: text @required @maxLength(30)
  stripes: int = 40 @min(1)
  asleep: bool = false
  chip: text @hidden
  twin: text @unique
}

pending = ""
wanted = 40
pair = ""
shouted = ""

awake = Zebra.where(asleep == false)

fn welcome() {
  born = hatch(pending, wanted)
  pending = ""
}

fn hatch(moniker: text, stripes: int) -> Zebra {
  save Zebra { moniker: moniker.trim, stripes: stripes, chip: "secret", twin: if pair == "" then none else pair }
}

fn flip(zebra: Zebra) {
  zebra.asleep = !zebra.asleep
  save zebra
}

fn rename(zebra: Zebra) {
  zebra.moniker = pending.trim
  save zebra
}

fn paint(zebra: Zebra, stripes: int) {
  zebra.stripes = stripes
  save zebra
}

fn release(zebra: Zebra) {
  delete zebra
}

fn shout() {
  shouted = pending.upper
}

fn two() {
  hatch("first of two", 1)
  hatch("", 1)
}

fn crash() {
  shouted = "{1 / Zebra.where(moniker == "nobody").count}"
}

view {
  <h1>{Zebra.count} zebras, {awake.count} awake {shouted}</h1>
  <form submit={welcome()}>
    <input bind={pending} />
    <input type="number" bind={wanted} />
    <input bind={pair} />
    <button>Welcome</button>
  </form>
  <ul>
    {for zebra in Zebra.all}
      <li class="{if zebra.asleep then 'asleep' else 'awake'}">{zebra.moniker} has {zebra.stripes}
        <button click={flip(zebra)}>flip</button>
        <button click={rename(zebra)}>rename</button>
        <button click={paint(zebra, 7)}>paint</button>
        <button click={release(zebra)}>release</button>
      </li>
    {/for}
  </ul>
  <button click={shout()}>shout</button>
  <button click={two()}>two</button>
  <button click={crash()}>crash</button>
}

route GET "/api/zebras" { Zebra.all }
route GET "/api/zebras/:id" { Zebra.find(params.id.to_int) ?: error(404, "no zebra {params.id}") }
route POST "/api/zebras" {
  zebra = save Zebra { moniker: body.moniker, stripes: body.stripes ?: 40 }
  response { status: 201, headers: { "Location": "/api/zebras/{zebra.id}" }, body: zebra }
}
route GET "/old" { redirect("/api/zebras") }
"#;

/// A folder that is removed when the test is over.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new() -> Folder {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let dir = std::env::temp_dir().join(format!("flinvm-test-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&dir).expect("a folder for the test");
        Folder(dir)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Compiles a source into a file of this folder.
    pub fn compile(&self, name: &str, source: &str) -> PathBuf {
        let compiled = flinc::compile(name, source);
        let compiled = compiled
            .unwrap_or_else(|diagnostics| panic!("{name} does not compile: {diagnostics:#?}"));
        self.write(name, &fbc::write(&compiled.module))
    }

    pub fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, bytes).expect("a file of the test");
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // A folder that stays behind is no reason to fail.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Runs flinvm to its end.
pub fn flinvm(args: &[&str], files: &[&Path]) -> Output {
    let program = flin_testkit::process::program("flinvm");
    Command::new(program)
        .args(args)
        .args(files)
        .output()
        .expect("flinvm starts")
}

/// Exit code and both outputs.
pub fn ended(output: &Output) -> (i32, String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (
        output.status.code().expect("it ended by itself"),
        text(&output.stdout),
        text(&output.stderr),
    )
}

/// An action by hand, as in the documentation: arguments and state as JSON text.
pub fn act(server: &Server, action: &str, args: &str, state: &str) -> (u16, String) {
    let quoted = |text: &str| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
    let body = format!(
        "{{\"_action\":\"{action}\",\"_args\":{},\"_state\":{}}}",
        quoted(args),
        quoted(state)
    );
    let answer = http::post_json(&server.url, "/_action", &body);
    (answer.status, answer.body)
}

/// A record of the program as an argument.
pub fn zebra(id: u32) -> String {
    format!("{{\"_entity\":true,\"type\":\"Zebra\",\"id\":{id}}}")
}

pub const RELOAD: &str = "{\"type\":\"reload\"}";
pub const OK: &str = "{\"type\":\"ok\"}";
