//! Sieges of a server, one test each so that they can be told apart. Must stay true: none is left out.

use flin_attack::siege::SIEGES;
use flin_attack::suite::Tally;

/// Those at these places, so that several tests share the time.
fn sieges(of: usize, at: usize) {
    let mine: Vec<_> = SIEGES.iter().skip(at).step_by(of).collect();
    let tally = Tally::of("sieges", &mine, |siege| {
        (siege.name.to_owned(), siege.run())
    });
    tally.expect_all();
}

#[test]
fn the_first_half_of_the_sieges() {
    sieges(2, 0);
}

#[test]
fn the_second_half_of_the_sieges() {
    sieges(2, 1);
}
