//! The soak, as long as a test may take.

use std::time::Duration;

use flin_soak::soak::{Options, soak};
use flin_soak::world::Group;

/// The seed; `FLIN_SOAK_SEED=7` takes another one.
fn seed() -> u64 {
    std::env::var("FLIN_SOAK_SEED")
        .map_or(1, |text| text.parse().expect("FLIN_SOAK_SEED is a number"))
}

#[test]
fn nothing_is_lost_and_nothing_is_wrong() {
    let options = Options {
        seed: seed(),
        time: Duration::from_secs(20),
        requests_max: 1_000_000,
    };
    let report = soak(options).expect("it begins");
    let findings: Vec<String> = report.findings.iter().map(ToString::to_string).collect();
    assert!(findings.is_empty(), "{}\n{report:#?}", findings.join("\n"));
    let counted = |group: Group| -> u64 {
        let counts = report.counts.iter().filter(|(of, _)| *of == group);
        counts
            .flat_map(|(_, kinds)| kinds)
            .map(|(_, count)| count)
            .sum()
    };
    println!("{report:#?}");
    assert!(counted(Group::Requests) > 300, "{report:#?}");
    assert!(counted(Group::Messages) > 50, "{report:#?}");
    assert!(counted(Group::Faults) > 5, "{report:#?}");
}
