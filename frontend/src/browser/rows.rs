//! Which library functions exist in JavaScript: the decision for every row whose body stands in the machine. Here, as one
//! match without a wildcard, so that a new row does not compile without a decision. (Rows written in FLIN become JavaScript
//! like all code, rows done by operations are decided with those.) Must stay true: a row in JavaScript is the function of
//! `library/` with the row's name in snake case, and gives what the machine's body gives, or gives up.

use std::sync::OnceLock;

use flin_bytecode::{LibId, Native};

/// The decision for a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Row {
    /// A function of the library: arguments in order, then the place for errors.
    Js(&'static str),
    /// Only on the server.
    Server(&'static str),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Decision {
    Js,
    /// As `Js`, but only in programs that run by themselves.
    Script,
    Server(&'static str),
}

const LAST_DIGIT: &str = "the last digit of its result may differ between machines";
const RECORDS: &str = "it works with records of the store";
const SECRETS: &str = "secrets stay on the server";
const ANSWERS: &str = "answers to requests are made on the server";
const WORLD: &str = "the server asks other servers";
const PATTERNS: &str = "regular expressions are matched on the server";

fn decision(native: Native) -> Decision {
    use Decision::{Js, Script, Server};
    use Native::*;
    match native {
        TextUpper | TextLower | TextTrim | TextTrimStart | TextTrimEnd | TextContains
        | ListContains | MapContains | RangeContains | AnyContains | TextStartsWith
        | TextEndsWith | TextSplit | ListJoin | TextSlice1 | TextSlice2 | ListSlice1
        | ListSlice2 | AnySlice1 | AnySlice2 | TextReplace | TextReplaceFirst | TextIndexOf
        | ListIndexOf | AnyIndexOf | TextLastIndexOf | TextRepeat | TextPadLeft1 | TextPadLeft2
        | TextPadRight1 | TextPadRight2 | TextCapitalize | TextTitle | TextReverse
        | ListReverse | AnyReverse | TextLines | TextWords | TextChars | TextIsEmpty
        | ListIsEmpty | MapIsEmpty | AnyIsEmpty | TextIsNumeric | TextIsEmail | TextIsUrl
        | TextRemovePrefix | TextRemoveSuffix | TextCodeAt | TextFromCode | AnyLen | MapLen
        | RangeLen | IntAbs | FloatAbs | DurationAbs | AnyAbs | IntMin | FloatMin | AnyMin
        | ListMin | IntMax | FloatMax | AnyMax | ListMax | IntClamp | FloatClamp | AnyClamp
        | IntFloor | FloatFloor | AnyFloor | IntCeil | FloatCeil | AnyCeil | IntRound
        | FloatRound | AnyRound | FloatRoundTo | FloatSqrt | IntPow | FloatPow | AnyPow
        | IntSign | FloatSign | DurationSign | AnySign | FloatIsNan | IntFormat | FloatFormat
        | TimeFormat | AnyFormat | TextToInt | IntToInt | FloatToInt | BoolToInt | AnyToInt
        | TextToFloat | FloatToFloat | AnyToFloat | ListPop | ListShift | ListUnshift
        | ListInsertAt | ListRemoveAt | ListSort | ListFirst | ListLast | ListRest | ListTake
        | ListSkip | ListSumInt | ListSumFloat | ListSumAny | ListAvg | ListUnique | ListZip
        | ListChunk | ListUnion | ListIntersection | ListDifference | ListClear | ListClone
        | RangeToList | Range1 | Range2 | Range3 | MapKeys | MapEntries | MapHasKey
        | MapDeleteKey | MapPick | MapOmit | MapMerge | MapClear | MapClone | AnyClear
        | AnyClone | MapFromEntries => Js,
        TimeYear | TimeMonth | TimeDay | TimeHour | TimeMinute | TimeSecond | TimeWeekday
        | TimeAdd | TimeAddUnits | TimeDiff | TimeDiffUnits | TimeStartOf | TimeEndOf
        | TimeToIso | ParseTime | DurationMs | FloatMs | AnyMs | DurationSeconds | FloatSeconds
        | AnySeconds | DurationMinutes | FloatMinutes | AnyMinutes | DurationHours | FloatHours
        | AnyHours | DurationDays | FloatDays | AnyDays | DurationWeeks | FloatWeeks | AnyWeeks => {
            Js
        }
        ParseJson | ToJson | TypeOf | Assert1 | Assert2 | AssertFailed | FailText | FailAny
        | FailBecause | HttpError | Base64Encode | Base64Decode | RangeNew | RangeNewInclusive
        | RangeStart | RangeEnd | SliceList | SliceText | SliceAny | Extend | SortOrder
        | MapKeyAt | MapValueAt | TupleNew | TupleNames | EnumNew | EnumVariant | EnumData
        | MapRest | AnyRest | ValidationError => Js,
        Today | Yesterday | Tomorrow | LastWeek | LastMonth | LastYear | StatementEnd => Script,
        TextMatches => Server(PATTERNS),
        FloatExp | FloatLn | FloatLog10 | FloatSin | FloatCos | FloatTan | FloatAsin
        | FloatAcos | FloatAtan | FloatAtan2 | FloatHypot => Server(LAST_DIGIT),
        Redirect1 | Redirect2 | ResponseNew | ResponseOk | ResponseJson => Server(ANSWERS),
        Env | Sha256 | HmacSha256 | HashPassword | VerifyPassword | SecureRandom | GenerateUuid => {
            Server(SECRETS)
        }
        HttpGet1 | HttpGet2 | HttpDelete1 | HttpDelete2 | HttpPost2 | HttpPost3 | HttpPut2
        | HttpPut3 | HttpPatch2 | HttpPatch3 => Server(WORLD),
        EntityHistory | AnyHistory | EntityAt | AnyAt | EntitySpread | EntityRest | QueryFind
        | QueryHistory | QueryLinked | QueryWith | QuerySteps | QueryKind | QueryArg
        | QueryKnown | QueryPrepared | QueryAnswered | QueryCount | QueryTotal | QueryExplain => {
            Server(RECORDS)
        }
    }
}

/// The row's name in JavaScript.
fn names() -> &'static [String] {
    static NAMES: OnceLock<Vec<String>> = OnceLock::new();
    NAMES.get_or_init(|| Native::ALL.iter().map(|native| snake(*native)).collect())
}

fn snake(native: Native) -> String {
    let mut name = String::new();
    for c in format!("{native:?}").chars() {
        if c.is_ascii_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.push(c.to_ascii_lowercase());
    }
    name
}

/// What a called row is in a program that runs by itself.
pub(super) fn row(id: LibId) -> Row {
    let Some(native) = Native::from_lib(id) else {
        return Row::Server("it is no function of the machine");
    };
    match decision(native) {
        Decision::Js | Decision::Script => Row::Js(&names()[id.index()]),
        Decision::Server(reason) => Row::Server(reason),
    }
}

/// Why a called row cannot run in a page, if it cannot.
pub(super) fn refusal(id: LibId) -> Option<&'static str> {
    match Native::from_lib(id).map(decision) {
        Some(Decision::Js) => None,
        Some(Decision::Script) => Some("it asks for the time or ends a statement of a script"),
        Some(Decision::Server(reason)) => Some(reason),
        None => Some("it is no function of the machine"),
    }
}

#[cfg(test)]
mod tests {
    use flin_bytecode::{LIBRARY, LibBody, Purity};

    use super::*;

    #[test]
    fn every_pure_row_is_there_or_has_a_reason() {
        for (at, row) in LIBRARY.iter().enumerate() {
            let LibBody::Native(native) = row.body else {
                continue;
            };
            match decision(native) {
                Decision::Js => {
                    assert!(
                        super::super::pieces::has(&names()[at]),
                        "{} has no function",
                        names()[at]
                    );
                }
                Decision::Script => {
                    assert_eq!(row.purity, Purity::Host, "{} is pure", row.name);
                    assert!(
                        super::super::pieces::has(&names()[at]),
                        "{} has no function",
                        names()[at]
                    );
                }
                Decision::Server(reason) => {
                    assert!(!reason.is_empty(), "{} has no reason", row.name)
                }
            }
        }
    }
}
