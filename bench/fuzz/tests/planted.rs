//! The test of the tests: mistakes planted in native code are found by comparing generated programs. Must stay true:
//! each kind of mistake that a compiler makes has one here, and few programs are enough for each.

use flin_fuzz::engines::compared;
use flin_fuzz::generate;
use flin_fuzz::target::Tally;

/// Programs after which a mistake should long have been found.
const PROGRAMS: u64 = 12;

#[test]
fn every_planted_mistake_is_found() {
    for plant in flin_corpus::Plant::ALL {
        let found = (0..PROGRAMS).find_map(|seed| {
            let program = generate::hot(seed, 9);
            compared(&program, Some(plant), &mut Tally::default())
                .err()
                .map(|fault| (seed, fault))
        });
        let Some((seed, fault)) = found else {
            panic!("{plant:?} is not found in {PROGRAMS} programs");
        };
        let first = fault.lines().next().unwrap_or_default();
        println!("{plant:?}: seed {seed}, {first}");
        assert!(first.contains("does something else"), "{plant:?}: {fault}");
    }
}
