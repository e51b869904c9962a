//! dbg
#[path = "../tests/support/mod.rs"]
mod support;
fn main() {
    let ways = support::ways();
    for file in std::env::args().skip(1) {
        let source = std::fs::read_to_string(&file).unwrap();
        let Ok(compiled) = flinc::compile("test.flin", &source) else {
            continue;
        };
        let mut host = support::Printer {
            slices_max: 20000,
            ..Default::default()
        };
        let (expected, _) = support::run_on(&compiled.module, &support::plain(), None, &mut host);
        if host.slices >= 15000 {
            println!("long {file}");
            continue;
        }
        for at in [2, 5, 7] {
            let way = &ways[at];
            let mut host = support::Printer {
                slices_max: 0,
                ..Default::default()
            };
            let found = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                support::run_on(&compiled.module, way, None, &mut host).0
            }));
            match found {
                Ok(found) if found == expected => {}
                Ok(found) => {
                    println!("DIFFERENT {file} {}", way.name);
                    std::fs::write(
                        format!("/tmp/jitcore/{}.exp", file.replace('/', "_")),
                        &expected,
                    )
                    .unwrap();
                    std::fs::write(
                        format!("/tmp/jitcore/{}.got", file.replace('/', "_")),
                        &found,
                    )
                    .unwrap();
                }
                Err(_) => println!("PANIC {file} {}", way.name),
            }
        }
    }
}
