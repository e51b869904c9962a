//! Hostile texts in every place of a page.

use flin_attack::escaping::{Escaping, texts};
use flin_attack::suite::Tally;

#[test]
fn a_text_stays_itself_in_every_place_of_a_view() {
    let escaping = Escaping::start().expect("the page is shown");
    let tally = Tally::of("escaping", &texts(400, 1), |text| {
        (format!("{text:?}"), escaping.judge(text))
    });
    tally.expect_all();
}
