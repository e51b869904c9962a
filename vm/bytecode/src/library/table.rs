//! The rows of the library table. Here, apart from `library.rs`, because they are many. Must stay true: a row reads
//! `Body "name" "scheme" purity "doc" "example" => "what printing the example gives";`; the text after the last `; ` of
//! an example is the expression to print. A change of any row changes the fingerprint in `.fbc` files.

use super::{LibBody, LibRow, Purity};

macro_rules! library {
    (
        native { $($native:ident $n_name:literal $n_scheme:literal $n_purity:ident $n_doc:literal $n_example:literal => $n_prints:literal;)* }
        prelude { $($prelude:literal $p_name:literal $p_scheme:literal $p_purity:ident $p_doc:literal $p_example:literal => $p_prints:literal;)* }
        inline { $($inline:ident $i_name:literal $i_scheme:literal $i_purity:ident $i_doc:literal $i_example:literal => $i_prints:literal;)* }
    ) => {
        /// Rows whose bodies stand in the VM; `Native as u16` is the row number.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u16)]
        pub enum Native { $(#[doc = $n_doc] $native,)* }

        impl Native {
            /// All of them, in number order.
            pub const ALL: &'static [Native] = &[$(Native::$native),*];
        }

        /// Rows that the compiler does by ops in place.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Inline { $(#[doc = $i_doc] $inline,)* }

        /// The library table: native rows, then prelude rows, then inline rows.
        pub static LIBRARY: &[LibRow] = &[
            $(LibRow { name: $n_name, scheme_text: $n_scheme, purity: purity!($n_purity), body: LibBody::Native(Native::$native), doc: $n_doc, example: $n_example, prints: $n_prints },)*
            $(LibRow { name: $p_name, scheme_text: $p_scheme, purity: purity!($p_purity), body: LibBody::Prelude($prelude), doc: $p_doc, example: $p_example, prints: $p_prints },)*
            $(LibRow { name: $i_name, scheme_text: $i_scheme, purity: purity!($i_purity), body: LibBody::Inline(Inline::$inline), doc: $i_doc, example: $i_example, prints: $i_prints },)*
        ];
    };
}

macro_rules! purity {
    (pure) => {
        Purity::Pure
    };
    (host) => {
        Purity::Host
    };
}

library! {
    native {
        // ---- text
        TextUpper "upper" "(text: text) -> text" pure "The text in upper case." r#""straße".upper"# => "STRASSE";
        TextLower "lower" "(text: text) -> text" pure "The text in lower case." r#""ÀB".lower"# => "àb";
        TextTrim "trim" "(text: text) -> text" pure "The text without white space at both ends." r#""[" + "  a b ".trim + "]""# => "[a b]";
        TextTrimStart "trim_start" "(text: text) -> text" pure "The text without white space at its start." r#""[" + " a ".trim_start + "]""# => "[a ]";
        TextTrimEnd "trim_end" "(text: text) -> text" pure "The text without white space at its end." r#""[" + " a ".trim_end + "]""# => "[ a]";
        TextContains "contains" "(text: text, part: text) -> bool" pure "Whether the second text occurs in the first." r#""haystack".contains("stack")"# => "true";
        ListContains "contains" "(list: [A], value: A) -> bool" pure "Whether an element equals the value." "[1, 2, 3].contains(2)" => "true";
        MapContains "contains" "(map: [K:V], key: K) -> bool" pure "Whether the map has the key." r#"{ a: 1 }.contains("b")"# => "false";
        RangeContains "contains" "(range: range, number: int) -> bool" pure "Whether the number is in the range." "(1..5).contains(5)" => "false";
        AnyContains "contains" "(whole: any, value: any) -> bool" pure "Whether a text, list, map or range contains the value." r#"xs = parse_json("[1, 2]"); xs.contains(2)"# => "true";
        TextStartsWith "starts_with" "(text: text, prefix: text) -> bool" pure "Whether the text starts with the other one." r#""flin.app".starts_with("flin")"# => "true";
        TextEndsWith "ends_with" "(text: text, suffix: text) -> bool" pure "Whether the text ends with the other one." r#""flin.app".ends_with(".app")"# => "true";
        TextSplit "split" "(text: text, separator: text) -> [text]" pure "The pieces between the separators; an empty separator splits into characters." r#""a,b,,c".split(",").len"# => "4";
        ListJoin "join" "(list: [A], separator: text) -> text" pure "The elements as text with the separator between them." r#"[1, 2, 3].join("-")"# => "1-2-3";
        TextSlice1 "slice" "(text: text, start: int) -> text" pure "The characters from a position on; negative counts from the end." r#""abcdef".slice(-2)"# => "ef";
        TextSlice2 "slice" "(text: text, start: int, end: int) -> text" pure "The characters from a position up to another one (excluded); negative counts from the end." r#""abcdef".slice(1, 3)"# => "bc";
        ListSlice1 "slice" "(list: [A], start: int) -> [A]" pure "The elements from a position on; negative counts from the end." "[1, 2, 3, 4].slice(2)" => "[3, 4]";
        ListSlice2 "slice" "(list: [A], start: int, end: int) -> [A]" pure "The elements from a position up to another one (excluded); negative counts from the end." "[1, 2, 3, 4].slice(1, -1)" => "[2, 3]";
        AnySlice1 "slice" "(value: any, start: int) -> any" pure "The part of a text or list from a position on." r#"x = parse_json("[1, 2, 3]"); x.slice(1)"# => "[2, 3]";
        AnySlice2 "slice" "(value: any, start: int, end: int) -> any" pure "The part of a text or list between two positions." r#"x = parse_json("[1, 2, 3]"); x.slice(0, 1)"# => "[1]";
        TextReplace "replace" "(text: text, old: text, new: text) -> text" pure "All occurrences replaced; an empty pattern changes nothing." r#""a-b-c".replace("-", "+")"# => "a+b+c";
        TextReplaceFirst "replace_first" "(text: text, old: text, new: text) -> text" pure "The first occurrence replaced." r#""a-b-c".replace_first("-", "+")"# => "a+b-c";
        TextIndexOf "index_of" "(text: text, part: text) -> int" pure "Position of the first occurrence, -1 if there is none." r#""héllo".index_of("l")"# => "2";
        ListIndexOf "index_of" "(list: [A], value: A) -> int" pure "Position of the first equal element, -1 if there is none." "[5, 6, 7].index_of(6)" => "1";
        AnyIndexOf "index_of" "(whole: any, value: any) -> int" pure "Position of a value in a text or list, -1 if it is not there." r#"x = parse_json("[5, 6]"); x.index_of(9)"# => "-1";
        TextLastIndexOf "last_index_of" "(text: text, part: text) -> int" pure "Position of the last occurrence, -1 if there is none." r#""a-b-c".last_index_of("-")"# => "3";
        TextRepeat "repeat" "(text: text, count: int) -> text" pure "The text several times; not at all for 0 or less." r#""ab".repeat(3)"# => "ababab";
        TextPadLeft1 "pad_left" "(text: text, length: int) -> text" pure "Filled with blanks at the left up to a length." r#""[" + "7".pad_left(3) + "]""# => "[  7]";
        TextPadLeft2 "pad_left" "(text: text, length: int, fill: text) -> text" pure "Filled with a text at the left up to a length." r#""7".pad_left(3, "0")"# => "007";
        TextPadRight1 "pad_right" "(text: text, length: int) -> text" pure "Filled with blanks at the right up to a length." r#""[" + "7".pad_right(3) + "]""# => "[7  ]";
        TextPadRight2 "pad_right" "(text: text, length: int, fill: text) -> text" pure "Filled with a text at the right up to a length." r#""7".pad_right(3, ".")"# => "7..";
        TextCapitalize "capitalize" "(text: text) -> text" pure "The first character in upper case, the others as they are." r#""ada lovelace".capitalize"# => "Ada lovelace";
        TextTitle "title" "(text: text) -> text" pure "The first character of each word in upper case, the others in lower case." r#""ada LOVELACE".title"# => "Ada Lovelace";
        TextReverse "reverse" "(text: text) -> text" pure "The characters in reverse order." r#""abc".reverse"# => "cba";
        ListReverse "reverse" "(list: [A]) -> [A]" pure "A new list in reverse order." "[1, 2, 3].reverse" => "[3, 2, 1]";
        AnyReverse "reverse" "(value: any) -> any" pure "A text or list in reverse order." r#"x = parse_json("[1, 2]"); x.reverse()"# => "[2, 1]";
        TextLines "lines" "(text: text) -> [text]" pure "The lines without their line ends." r#""a\nb\n".lines.len"# => "2";
        TextWords "words" "(text: text) -> [text]" pure "The pieces between white space." r#"" to be  or not ".words.join("|")"# => "to|be|or|not";
        TextChars "chars" "(text: text) -> [text]" pure "The characters (Unicode scalar values)." r#""añb".chars.join(".")"# => "a.ñ.b";
        TextIsEmpty "is_empty" "(text: text) -> bool" pure "Whether the text has no character." r#""".is_empty"# => "true";
        ListIsEmpty "is_empty" "(list: [A]) -> bool" pure "Whether the list has no element." "[1].is_empty" => "false";
        MapIsEmpty "is_empty" "(map: [K:V]) -> bool" pure "Whether the map has no entry." "m = { a: 1 }; m.is_empty()" => "false";
        AnyIsEmpty "is_empty" "(value: any) -> bool" pure "Whether a text, list, map or range is empty, or the value is none." r#"is_empty(parse_json("[]"))"# => "true";
        TextIsNumeric "is_numeric" "(text: text) -> bool" pure "Whether the text is a number: `to_float` would give one." r#""-12.5".is_numeric"# => "true";
        TextIsEmail "is_email" "(text: text) -> bool" pure "Whether the text looks like an e-mail address." r#""ada@example.com".is_email"# => "true";
        TextIsUrl "is_url" "(text: text) -> bool" pure "Whether the text looks like an absolute http or https address." r#""https://example.com/a".is_url"# => "true";
        TextRemovePrefix "remove_prefix" "(text: text, prefix: text) -> text" pure "The text without that start, if it has it." r#""unhappy".remove_prefix("un")"# => "happy";
        TextRemoveSuffix "remove_suffix" "(text: text, suffix: text) -> text" pure "The text without that end, if it has it." r#""photo.png".remove_suffix(".png")"# => "photo";
        TextMatches "matches" "(text: text, pattern: text) -> bool" pure "Whether the regular expression matches somewhere in the text." r#""room 12".matches(r"\d+")"# => "true";
        TextCodeAt "code_at" "(text: text, position: int) -> int?" pure "Unicode scalar value at a position, none outside the text." r#""A".code_at(0)"# => "65";
        TextFromCode "from_code" "(code: int) -> text" pure "The character with that Unicode scalar value." "from_code(9733)" => "★";
        AnyLen "len" "(value: any) -> int" pure "Length of a text, list, map, tuple or range." r#"x = parse_json("[1, 2, 3]"); x.len"# => "3";
        MapLen "len" "(map: [K:V]) -> int" pure "Number of entries." "{ a: 1, b: 2 }.len()" => "2";
        RangeLen "len" "(range: range) -> int" pure "How many numbers are in the range." "(2..6).len" => "4";
        // ---- numbers
        IntAbs "abs" "(number: int) -> int" pure "Distance from 0." "abs(-7)" => "7";
        FloatAbs "abs" "(number: float) -> float" pure "Distance from 0." "abs(-7.5)" => "7.5";
        DurationAbs "abs" "(duration: duration) -> duration" pure "The duration without its sign." "abs(2.hours - 5.hours)" => "3h";
        AnyAbs "abs" "(value: any) -> any" pure "Distance from 0." r#"x = parse_json("-3"); abs(x)"# => "3";
        IntMin "min" "(a: int, b: int) -> int" pure "The smaller of the two." "min(3, 5)" => "3";
        FloatMin "min" "(a: float, b: float) -> float" pure "The smaller of the two." "min(2.5, 1.0)" => "1.0";
        AnyMin "min" "(a: A, b: A) -> A" pure "The smaller of the two; of more values, written as a function, the smallest." r#"min("pear", "apple")"# => "apple";
        ListMin "min" "(list: [A]) -> A?" pure "The smallest element, none if there is none; none and NaN do not count beside others." "[3, 1, 2].min" => "1";
        IntMax "max" "(a: int, b: int) -> int" pure "The greater of the two." "max(3, 5)" => "5";
        FloatMax "max" "(a: float, b: float) -> float" pure "The greater of the two." "max(2.5, 1.0)" => "2.5";
        AnyMax "max" "(a: A, b: A) -> A" pure "The greater of the two; of more values, written as a function, the greatest." r#"max("pear", "apple")"# => "pear";
        ListMax "max" "(list: [A]) -> A?" pure "The greatest element, none if there is none; none and NaN do not count beside others." "[3, 1, 2].max" => "3";
        IntClamp "clamp" "(number: int, low: int, high: int) -> int" pure "The number, but not below the second and not above the third." "12.clamp(0, 10)" => "10";
        FloatClamp "clamp" "(number: float, low: float, high: float) -> float" pure "The number, but not below the second and not above the third." "clamp(0.5, 1.0, 2.0)" => "1.0";
        AnyClamp "clamp" "(value: A, low: A, high: A) -> A" pure "The value, but not below the second and not above the third." r#"clamp("m", "a", "k")"# => "k";
        IntFloor "floor" "(number: int) -> int" pure "The next int below (an int is itself)." "floor(5)" => "5";
        FloatFloor "floor" "(number: float) -> int" pure "The next int below." "floor(3.7)" => "3";
        AnyFloor "floor" "(value: any) -> int" pure "The next int below." r#"x = parse_json("3.7"); floor(x)"# => "3";
        IntCeil "ceil" "(number: int) -> int" pure "The next int above (an int is itself)." "ceil(5)" => "5";
        FloatCeil "ceil" "(number: float) -> int" pure "The next int above." "ceil(3.7)" => "4";
        AnyCeil "ceil" "(value: any) -> int" pure "The next int above." r#"x = parse_json("3.7"); ceil(x)"# => "4";
        IntRound "round" "(number: int) -> int" pure "The nearest int (an int is itself)." "round(5)" => "5";
        FloatRound "round" "(number: float) -> int" pure "The nearest int; halves go away from 0." "round(3.7)" => "4";
        AnyRound "round" "(value: any) -> int" pure "The nearest int; halves go away from 0." r#"x = parse_json("3.7"); round(x)"# => "4";
        FloatRoundTo "round" "(number: float, decimals: int) -> float" pure "Rounded to a number of decimals." "round(2.71828, 2)" => "2.72";
        FloatSqrt "sqrt" "(number: float) -> float" pure "Square root; NaN of a negative number." "sqrt(16)" => "4.0";
        IntPow "pow" "(base: int, exponent: int) -> int" pure "The first to the power of the second, as `**`." "pow(2, 10)" => "1024";
        FloatPow "pow" "(base: float, exponent: float) -> float" pure "The first to the power of the second, as `**`." "pow(2.0, 0.5) > 1.41" => "true";
        AnyPow "pow" "(base: any, exponent: any) -> any" pure "The first to the power of the second, as `**`." r#"x = parse_json("3"); pow(x, 2)"# => "9";
        FloatExp "exp" "(exponent: float) -> float" pure "e to that power." "exp(0.0)" => "1.0";
        FloatLn "ln" "(number: float) -> float" pure "Natural logarithm." "ln(1.0)" => "0.0";
        FloatLog10 "log10" "(number: float) -> float" pure "Decimal logarithm." "log10(1000.0)" => "3.0";
        FloatSin "sin" "(angle: float) -> float" pure "Sine of an angle in radians." "sin(0.0)" => "0.0";
        FloatCos "cos" "(angle: float) -> float" pure "Cosine of an angle in radians." "cos(0.0)" => "1.0";
        FloatTan "tan" "(angle: float) -> float" pure "Tangent of an angle in radians." "tan(0.0)" => "0.0";
        FloatAsin "asin" "(number: float) -> float" pure "Arc sine in radians." "asin(0.0)" => "0.0";
        FloatAcos "acos" "(number: float) -> float" pure "Arc cosine in radians." "acos(1.0)" => "0.0";
        FloatAtan "atan" "(number: float) -> float" pure "Arc tangent in radians." "atan(0.0)" => "0.0";
        FloatAtan2 "atan2" "(y: float, x: float) -> float" pure "Angle of the point (x, y) given as y, x." "atan2(0.0, 1.0)" => "0.0";
        FloatHypot "hypot" "(x: float, y: float) -> float" pure "Length of the diagonal." "hypot(3.0, 4.0)" => "5.0";
        IntSign "sign" "(number: int) -> int" pure "-1, 0 or 1." "sign(-9)" => "-1";
        FloatSign "sign" "(number: float) -> int" pure "-1, 0 or 1; 0 for NaN." "sign(2.5)" => "1";
        DurationSign "sign" "(duration: duration) -> int" pure "-1, 0 or 1." "sign(2.hours - 5.hours)" => "-1";
        AnySign "sign" "(value: any) -> int" pure "-1, 0 or 1." r#"x = parse_json("-2"); sign(x)"# => "-1";
        FloatIsNan "is_nan" "(number: float) -> bool" pure "Whether it is the number that is no number." "is_nan(0.0 / 0.0)" => "true";
        IntFormat "format" "(number: int, decimals: int) -> text" pure "The number with that many decimals." "format(5, 2)" => "5.00";
        FloatFormat "format" "(number: float, decimals: int) -> text" pure "The number with that many decimals, halves away from 0." "format(3.14159, 2)" => "3.14";
        TimeFormat "format" "(time: time, pattern: text) -> text" pure "The time by a pattern of YYYY YY MMMM MMM MM M DD D dddd ddd HH H mm m ss s SSS." r#"parse_time("2026-03-04T05:06:07Z").format("DD.MM.YYYY HH:mm")"# => "04.03.2026 05:06";
        AnyFormat "format" "(value: any, style: any) -> text" pure "A number with decimals or a time by a pattern." r#"x = parse_json("1.5"); x.format(2)"# => "1.50";
        TextToInt "to_int" "(text: text) -> int?" pure "The int that the text spells, white space around it allowed; none if it does not." r#""42".to_int"# => "42";
        IntToInt "to_int" "(number: int) -> int" pure "The int itself." "to_int(3)" => "3";
        FloatToInt "to_int" "(number: float) -> int" pure "The int toward 0; IntegerOverflow if there is none." "to_int(-3.9)" => "-3";
        BoolToInt "to_int" "(value: bool) -> int" pure "1 for true, 0 for false." "to_int(true)" => "1";
        AnyToInt "to_int" "(value: any) -> int?" pure "The int of a number, bool or text; none for none and other text." r#"x = parse_json("\"12\""); to_int(x)"# => "12";
        TextToFloat "to_float" "(text: text) -> float?" pure "The number that the text spells, white space around it allowed; none if it does not." r#""2.5".to_float"# => "2.5";
        FloatToFloat "to_float" "(number: float) -> float" pure "The number as float." "to_float(3)" => "3.0";
        AnyToFloat "to_float" "(value: any) -> float?" pure "The float of a number or text; none for none and other text." r#"x = parse_json("3"); to_float(x)"# => "3.0";
        // ---- lists
        ListPop "pop" "(list: [A]) -> A?" pure "Removes the last element and returns it, none if there is none." "xs = [1, 2]; xs.pop()" => "2";
        ListShift "shift" "(list: [A]) -> A?" pure "Removes the first element and returns it, none if there is none." "xs = [1, 2]; xs.shift()" => "1";
        ListUnshift "unshift" "(list: [A], value: A) -> [A]" pure "Puts an element in front of the list and returns the list." "xs = [2, 3]; xs.unshift(1)" => "[1, 2, 3]";
        ListInsertAt "insert_at" "(list: [A], position: int, value: A) -> [A]" pure "Puts an element at a position and returns the list; IndexOutOfBounds beyond its end." "xs = [1, 3]; xs.insert_at(1, 2)" => "[1, 2, 3]";
        ListRemoveAt "remove_at" "(list: [A], position: int) -> A?" pure "Removes the element at a position and returns it, none if there is none." "xs = [1, 2, 3]; xs.remove_at(1)" => "2";
        ListSort "sort" "(list: [A]) -> [A]" pure "A new list in ascending order; stable; NaN after all numbers, none last." "[3, 1, 2].sort" => "[1, 2, 3]";
        ListFirst "first" "(list: [A]) -> A?" pure "The first element, none if there is none." "[4, 5].first" => "4";
        ListLast "last" "(list: [A]) -> A?" pure "The last element, none if there is none." "[4, 5].last" => "5";
        ListRest "rest" "(list: [A]) -> [A]" pure "All elements but the first." "[1, 2, 3].rest" => "[2, 3]";
        ListTake "take" "(list: [A], count: int) -> [A]" pure "The first elements." "[1, 2, 3].take(2)" => "[1, 2]";
        ListSkip "skip" "(list: [A], count: int) -> [A]" pure "All but the first elements." "[1, 2, 3].skip(2)" => "[3]";
        ListSumInt "sum" "(list: [int]) -> int" pure "The sum; 0 of an empty list." "[1, 2, 3].sum" => "6";
        ListSumFloat "sum" "(list: [float]) -> float" pure "The sum; 0.0 of an empty list." "[0.5, 0.25].sum" => "0.75";
        ListSumAny "sum" "(list: [A]) -> any" pure "The sum of the numbers; 0 of an empty list." "[1, 0.5].sum" => "1.5";
        ListAvg "avg" "(list: [A]) -> float?" pure "The mean of the numbers, none of an empty list." "[1, 2].avg" => "1.5";
        ListUnique "unique" "(list: [A]) -> [A]" pure "Without later elements that equal an earlier one." "[1, 2, 1, 3].unique" => "[1, 2, 3]";
        ListZip "zip" "(list: [A], other: [B]) -> [(A, B)]" pure "Pairs of the elements at equal positions, as long as both lists go." r#"[1, 2].zip(["a", "b", "c"]).len"# => "2";
        ListChunk "chunk" "(list: [A], size: int) -> [[A]]" pure "Lists of that many elements each; the last may be shorter." "[1, 2, 3].chunk(2)" => "[[1, 2], [3]]";
        ListUnion "union" "(list: [A], other: [A]) -> [A]" pure "The elements of both lists, each once." "[1, 2].union([2, 3])" => "[1, 2, 3]";
        ListIntersection "intersection" "(list: [A], other: [A]) -> [A]" pure "The elements of the first list that are in the second, each once." "[1, 2, 3].intersection([3, 2])" => "[2, 3]";
        ListDifference "difference" "(list: [A], other: [A]) -> [A]" pure "The elements of the first list that are not in the second, each once." "[1, 2, 3].difference([2])" => "[1, 3]";
        ListClear "clear" "(list: [A]) -> [A]" pure "Removes all elements and returns the list." "xs = [1, 2]; xs.clear()" => "[]";
        ListClone "clone" "(list: [A]) -> [A]" pure "A new list with the same elements." "xs = [1]; xs.clone.push(2); xs" => "[1]";
        RangeToList "to_list" "(range: range) -> [int]" pure "The numbers of the range." "(1..4).to_list" => "[1, 2, 3]";
        Range1 "range" "(end: int) -> [int]" pure "The numbers from 0 up to the end (excluded)." "range(3)" => "[0, 1, 2]";
        Range2 "range" "(start: int, end: int) -> [int]" pure "The numbers from the start up to the end (excluded)." "range(2, 5)" => "[2, 3, 4]";
        Range3 "range" "(start: int, end: int, step: int) -> [int]" pure "The numbers from the start toward the end (excluded) by a step." "range(5, 0, -2)" => "[5, 3, 1]";
        // ---- maps
        MapKeys "keys" "(map: [K:V]) -> [K]" pure "The keys in insertion order." r#"{ a: 1, b: 2 }.keys().join(",")"# => "a,b";
        MapEntries "entries" "(map: [K:V]) -> [(K, V)]" pure "Pairs of key and value in insertion order." "{ a: 1, b: 2 }.entries().len" => "2";
        MapHasKey "has_key" "(map: [K:V], key: K) -> bool" pure "Whether the map has the key." r#"{ a: none }.has_key("a")"# => "true";
        MapDeleteKey "delete_key" "(map: [K:V], key: K) -> V?" pure "Removes the key and returns its value, none if it was not there." r#"m = { a: 1 }; m.delete_key("a")"# => "1";
        MapPick "pick" "(map: [K:V], keys: [K]) -> [K:V]" pure "A new map with only those keys." r#"{ a: 1, b: 2 }.pick(["b"]).to_json()"# => r#"{"b":2}"#;
        MapOmit "omit" "(map: [K:V], keys: [K]) -> [K:V]" pure "A new map without those keys." r#"{ a: 1, b: 2 }.omit(["b"]).to_json()"# => r#"{"a":1}"#;
        MapMerge "merge" "(map: [K:V], other: [K:V]) -> [K:V]" pure "A new map with the entries of both; the second wins." "{ a: 1, b: 2 }.merge({ b: 3 }).to_json()" => r#"{"a":1,"b":3}"#;
        MapClear "clear" "(map: [K:V]) -> [K:V]" pure "Removes all entries and returns the map." "m = { a: 1 }; m.clear().len()" => "0";
        MapClone "clone" "(map: [K:V]) -> [K:V]" pure "A new map with the same entries." "m = { a: 1 }; m.clone().to_json()" => r#"{"a":1}"#;
        AnyClear "clear" "(value: any) -> any" pure "Removes everything from a list or map and returns it." r#"x = parse_json("[1]"); clear(x)"# => "[]";
        AnyClone "clone" "(value: any) -> any" pure "A new list or map with the same content; other values are themselves." r#"x = parse_json("[1]"); clone(x)"# => "[1]";
        MapFromEntries "from_entries" "(entries: [(K, V)]) -> [K:V]" pure "The map with those keys and values." r#"from_entries([("a", 1)]).to_json()"# => r#"{"a":1}"#;
        // ---- time
        Today "today" "() -> time" host "Midnight of this day (UTC)." "today < now + 2.days" => "true";
        Yesterday "yesterday" "() -> time" host "Midnight of the day before." "yesterday < now + 2.days" => "true";
        Tomorrow "tomorrow" "() -> time" host "Midnight of the day after." "tomorrow < now + 2.days" => "true";
        LastWeek "last_week" "() -> time" host "Seven days before now." "last_week < now + 2.days" => "true";
        LastMonth "last_month" "() -> time" host "One month before now." "last_month < now + 2.days" => "true";
        LastYear "last_year" "() -> time" host "One year before now." "last_year < now + 2.days" => "true";
        TimeYear "year" "(time: time) -> int" pure "The year." r#"parse_time("2026-03-04T05:06:07Z").year"# => "2026";
        TimeMonth "month" "(time: time) -> int" pure "The month, 1 to 12." r#"parse_time("2026-03-04T05:06:07Z").month"# => "3";
        TimeDay "day" "(time: time) -> int" pure "The day of the month, 1 to 31." r#"parse_time("2026-03-04T05:06:07Z").day"# => "4";
        TimeHour "hour" "(time: time) -> int" pure "The hour, 0 to 23." r#"parse_time("2026-03-04T05:06:07Z").hour"# => "5";
        TimeMinute "minute" "(time: time) -> int" pure "The minute, 0 to 59." r#"parse_time("2026-03-04T05:06:07Z").minute"# => "6";
        TimeSecond "second" "(time: time) -> int" pure "The second, 0 to 59." r#"parse_time("2026-03-04T05:06:07Z").second"# => "7";
        TimeWeekday "weekday" "(time: time) -> int" pure "The day of the week, 1 (Monday) to 7 (Sunday)." r#"parse_time("2026-03-04T05:06:07Z").weekday"# => "3";
        TimeAdd "add" "(time: time, duration: duration) -> time" pure "The time that much later." r#"parse_time("2026-03-04").add(2.days).to_iso"# => "2026-03-06T00:00:00.000Z";
        TimeAddUnits "add" "(time: time, count: int, unit: text) -> time" pure "The time that many units later: ms second minute hour day week month year." r#"parse_time("2026-01-31").add(1, "month").to_iso"# => "2026-02-28T00:00:00.000Z";
        TimeDiff "diff" "(time: time, other: time) -> duration" pure "How much later the first is than the second." r#"parse_time("2026-03-04").diff(parse_time("2026-03-01")).days"# => "3";
        TimeDiffUnits "diff" "(time: time, other: time, unit: text) -> int" pure "Whole units by which the first is later than the second." r#"parse_time("2026-03-04").diff(parse_time("2026-01-04"), "month")"# => "2";
        TimeStartOf "start_of" "(time: time, unit: text) -> time" pure "The start of its minute, hour, day, week, month or year." r#"parse_time("2026-03-04T05:06:07Z").start_of("month").to_iso"# => "2026-03-01T00:00:00.000Z";
        TimeEndOf "end_of" "(time: time, unit: text) -> time" pure "The last millisecond of its minute, hour, day, week, month or year." r#"parse_time("2026-03-04").end_of("day").to_iso"# => "2026-03-04T23:59:59.999Z";
        TimeToIso "to_iso" "(time: time) -> text" pure "The time as ISO 8601 in UTC." r#"parse_time("2026-03-04").to_iso"# => "2026-03-04T00:00:00.000Z";
        ParseTime "parse_time" "(text: text) -> time?" pure "The time that an ISO 8601 date or date-time spells (UTC unless it says otherwise), none if it does not." r#"parse_time("tomorrow-ish")"# => "none";
        DurationMs "ms" "(duration: duration) -> int" pure "Whole milliseconds of a duration." "d = 14.days; d.ms" => "1209600000";
        FloatMs "ms" "(number: float) -> duration" pure "That many milliseconds as a duration, rounded to milliseconds." "d = ms(2.0); d == ms(2)" => "true";
        AnyMs "ms" "(value: any) -> any" pure "Whole milliseconds of a duration, or a number of milliseconds as a duration." r#"x = parse_json("2"); ms(x) == ms(2)"# => "true";
        DurationSeconds "seconds" "(duration: duration) -> int" pure "Whole seconds of a duration." "d = 14.days; d.seconds" => "1209600";
        FloatSeconds "seconds" "(number: float) -> duration" pure "That many seconds as a duration, rounded to milliseconds." "d = seconds(2.0); d == seconds(2)" => "true";
        AnySeconds "seconds" "(value: any) -> any" pure "Whole seconds of a duration, or a number of seconds as a duration." r#"x = parse_json("2"); seconds(x) == seconds(2)"# => "true";
        DurationMinutes "minutes" "(duration: duration) -> int" pure "Whole minutes of a duration." "d = 14.days; d.minutes" => "20160";
        FloatMinutes "minutes" "(number: float) -> duration" pure "That many minutes as a duration, rounded to milliseconds." "d = minutes(2.0); d == minutes(2)" => "true";
        AnyMinutes "minutes" "(value: any) -> any" pure "Whole minutes of a duration, or a number of minutes as a duration." r#"x = parse_json("2"); minutes(x) == minutes(2)"# => "true";
        DurationHours "hours" "(duration: duration) -> int" pure "Whole hours of a duration." "d = 14.days; d.hours" => "336";
        FloatHours "hours" "(number: float) -> duration" pure "That many hours as a duration, rounded to milliseconds." "d = hours(2.0); d == hours(2)" => "true";
        AnyHours "hours" "(value: any) -> any" pure "Whole hours of a duration, or a number of hours as a duration." r#"x = parse_json("2"); hours(x) == hours(2)"# => "true";
        DurationDays "days" "(duration: duration) -> int" pure "Whole days of a duration." "d = 14.days; d.days" => "14";
        FloatDays "days" "(number: float) -> duration" pure "That many days as a duration, rounded to milliseconds." "d = days(2.0); d == days(2)" => "true";
        AnyDays "days" "(value: any) -> any" pure "Whole days of a duration, or a number of days as a duration." r#"x = parse_json("2"); days(x) == days(2)"# => "true";
        DurationWeeks "weeks" "(duration: duration) -> int" pure "Whole weeks of a duration." "d = 14.days; d.weeks" => "2";
        FloatWeeks "weeks" "(number: float) -> duration" pure "That many weeks as a duration, rounded to milliseconds." "d = weeks(2.0); d == weeks(2)" => "true";
        AnyWeeks "weeks" "(value: any) -> any" pure "Whole weeks of a duration, or a number of weeks as a duration." r#"x = parse_json("2"); weeks(x) == weeks(2)"# => "true";
        // ---- data
        ParseJson "parse_json" "(text: text) -> any" pure "The value that a JSON text spells; ParseError if it is none." r#"parse_json(r"[1, 2.5, null]")"# => "[1, 2.5, none]";
        ToJson "to_json" "(value: any) -> text" pure "The value as JSON." r#"to_json([1, "a", none])"# => r#"[1,"a",null]"#;
        TypeOf "type_of" "(value: any) -> text" pure "Name of the type of a value." "type_of(1.5)" => "float";
        Assert1 "assert" "(condition: any) -> none" pure "AssertionError unless the value is truthy." r#"assert(1 + 1 == 2); "fine""# => "fine";
        Assert2 "assert" "(condition: any, message: text) -> none" pure "AssertionError with that message unless the value is truthy." r#"assert(true, "never"); "fine""# => "fine";
        FailText "fail" "(message: text) -> never" pure "Raises an error of the kind `Error` with that message." r#"r = try fail("no seat left"); r.kind"# => "Error";
        FailAny "fail" "(error: any) -> never" pure "Raises a caught error once more, or an error with that message." r#"x = parse_json("\"gone\""); r = try fail(x); r.message"# => "gone";
        FailBecause "fail" "(kind: text, message: text, cause: error?) -> never" pure "Raises an error of that kind with that message, because of another error." r#"e = try 1 / 0; r = try fail("Broken", "no average", e); r.cause.kind"# => "DivisionByZero";
        HttpError "error" "(status: int, message: text) -> never" pure "Ends the request with that HTTP status and message." r#"r = try error(409, "taken"); r.message"# => "taken";
        Redirect1 "redirect" "(address: text) -> response" pure "An answer that sends the browser to another address (303)." r#"r = redirect("/login"); type_of(r)"# => "response";
        Redirect2 "redirect" "(address: text, status: int) -> response" pure "An answer that sends the browser to another address with that status." r#"r = redirect("/new", 301); type_of(r)"# => "response";
        // ---- other servers
        HttpGet1 "http_get" "(url: text) -> response" host "Asks another server: a response with `status`, `headers` (names in lower case), `body` (text), `ok` and `json`. NetworkError if there is no answer; an answer such as 404 is no error. Private addresses are refused unless the program was started with `--allow-private-http`." r#"r = try http_get("ftp://flin.example"); r.kind"# => "ArgumentError";
        HttpGet2 "http_get" "(url: text, headers: [text:text]) -> response" host "The same with headers." r#"r = try http_get("flin.example", { accept: "text/plain" }); r.kind"# => "ArgumentError";
        HttpDelete1 "http_delete" "(url: text) -> response" host "Sends DELETE to another server." r#"r = try http_delete("http://"); r.kind"# => "ArgumentError";
        HttpDelete2 "http_delete" "(url: text, headers: [text:text]) -> response" host "The same with headers." r#"r = try http_delete("http://", { accept: "text/plain" }); r.kind"# => "ArgumentError";
        HttpPost2 "http_post" "(url: text, body: any) -> response" host "Sends a body to another server with POST: a text as it is, anything else as JSON." r#"r = try http_post("", { a: 1 }); r.kind"# => "ArgumentError";
        HttpPost3 "http_post" "(url: text, body: any, headers: [text:text]) -> response" host "The same with headers." r#"r = try http_post("", "a", { accept: "text/plain" }); r.kind"# => "ArgumentError";
        HttpPut2 "http_put" "(url: text, body: any) -> response" host "Sends a body to another server with PUT." r#"r = try http_put("", { a: 1 }); r.kind"# => "ArgumentError";
        HttpPut3 "http_put" "(url: text, body: any, headers: [text:text]) -> response" host "The same with headers." r#"r = try http_put("", "a", { accept: "text/plain" }); r.kind"# => "ArgumentError";
        HttpPatch2 "http_patch" "(url: text, body: any) -> response" host "Sends a body to another server with PATCH." r#"r = try http_patch("", { a: 1 }); r.kind"# => "ArgumentError";
        HttpPatch3 "http_patch" "(url: text, body: any, headers: [text:text]) -> response" host "The same with headers." r#"r = try http_patch("", "a", { accept: "text/plain" }); r.kind"# => "ArgumentError";
        ResponseOk "ok" "(response: response) -> bool" pure "Whether the status of a response is 200 to 299." "r = response { status: 204 }; r.ok" => "true";
        ResponseJson "json" "(response: response) -> any" pure "The value that the body of a response spells as JSON; ParseError if it is none." r#"r = response { body: r"[1, 2]" }; r.json"# => "[1, 2]";
        // ---- secrets, encodings, ids
        Env "env" "(name: text) -> text?" host "The value of an environment variable, none if it is not set." r#"env("MAIL_PORT") ?: "25""# => "25";
        Sha256 "sha256" "(text: text) -> text" pure "SHA-256 of the text's UTF-8 bytes, as 64 hex digits. Not for passwords: see `hash_password`." r#"sha256("abc").slice(0, 8)"# => "ba7816bf";
        HmacSha256 "hmac_sha256" "(text: text, key: text) -> text" pure "HMAC-SHA-256 of the text with a key, as 64 hex digits: a signature that only who knows the key can make." r#"hmac_sha256("body", "secret").len"# => "64";
        HashPassword "hash_password" "(password: text) -> text" host "A hash to be stored instead of the password: Argon2id with a random salt (19 MiB, 2 passes, 1 lane), in PHC form. Takes tens of milliseconds on purpose." r#"hash_password("hunter2").starts_with(r"$argon2id$v=19$m=19456,t=2,p=1$")"# => "true";
        VerifyPassword "verify_password" "(password: text, hash: text) -> bool" host "Whether the password is the one that `hash_password` made this hash of; ArgumentError if the text is no such hash, or asks for more than 128 MiB, or for more than 256 MiB times passes (logged, too). Takes as long as hashing." r#"h = hash_password("hunter2"); verify_password("hunter2", h)"# => "true";
        SecureRandom "secure_random" "(bytes: int) -> text" host "Random bytes, 1 to 1024 of them, as twice as many hex digits: for tokens that nobody can guess." "secure_random(16).len" => "32";
        GenerateUuid "generate_uuid" "() -> text" host "A random UUID (version 4)." r#"generate_uuid().matches(r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")"# => "true";
        Base64Encode "base64_encode" "(text: text) -> text" pure "The text's UTF-8 bytes in Base64, with padding." r#""héllo".base64_encode"# => "aMOpbGxv";
        Base64Decode "base64_decode" "(text: text) -> text" pure "The text whose UTF-8 bytes are written in Base64 (also in the form for URLs, also without padding); ParseError if it is none." r#""aMOpbGxv".base64_decode"# => "héllo";
        // ---- for compiled code and the prelude
        RangeNew "__range" "(start: int, end: int) -> range" pure "The range from the first up to the second (excluded)." "" => "";
        RangeNewInclusive "__range_inclusive" "(start: int, end: int) -> range" pure "The range from the first up to the second (included)." "" => "";
        RangeStart "__range_start" "(range: range) -> int" pure "First number of the range." "" => "";
        RangeEnd "__range_end" "(range: range) -> int" pure "One past the last number of the range." "" => "";
        SliceList "__slice_list" "(list: [A], start: int?, end: int?, step: int?) -> [A]" pure "`list[a:b:step]`, clamped; a step of 0 is an ArgumentError." "" => "";
        SliceText "__slice_text" "(text: text, start: int?, end: int?, step: int?) -> text" pure "`text[a:b:step]`, clamped; a step of 0 is an ArgumentError." "" => "";
        SliceAny "__slice" "(value: any, start: int?, end: int?, step: int?) -> any" pure "`x[a:b:step]` by what x is at run time." "" => "";
        Extend "__extend" "(list: [A], other: [A]) -> none" pure "Appends all elements of the other list." "" => "";
        SortOrder "__sort_order" "(list: [A]) -> [int]" pure "Positions of the elements in ascending order; stable; NaN after all numbers, none last." "" => "";
        MapKeyAt "__map_key_at" "(map: [K:V], position: int) -> K" pure "Key of the n-th entry of a map in insertion order; IndexOutOfBounds." "" => "";
        MapValueAt "__map_value_at" "(map: [K:V], position: int) -> V" pure "Value of the n-th entry of a map in insertion order; IndexOutOfBounds." "" => "";
        TupleNew "__tuple" "(list: [any]) -> opaque" pure "A tuple of the elements of the list." "" => "";
        EnumNew "__enum" "(enum: int, variant: int, data: [any]) -> opaque" pure "Value of enum n, variant n, with the data of the list." "" => "";
        EnumVariant "__enum_variant" "(value: any, enum: int) -> int" pure "Variant number of a value of enum n, -1 if it is something else." "" => "";
        EnumData "__enum_data" "(value: any, position: int) -> any" pure "n-th piece of data of an enum value." "" => "";
        EntityHistory "history" "(record: entity) -> [entity]" host "All versions of a record, oldest first. Each is the record as it was, with its `version`, `valid_from` and `valid_to` (none for the newest); a deletion and a restoration are versions too. `Todo.history(id)` gives them by id, also of a deleted record." r#"entity Note { text: text }; note = save Note { text: "a" }; note.text = "b"; save note; note.history.map(n => n.text)"# => r#"["a", "b"]"#;
        AnyHistory "history" "(record: any) -> any" host "The same where the type is known only at run time." r#"entity Memo { text: text }; memo = save Memo { text: "a" }; seen: any = memo; seen.history.len"# => "1";
        EntityAt "__entity_at" "(record: entity, when: any) -> entity?" host "The record as it was: a version by number (int) or the one of a time (time, text); none if there was none." "" => "";
        AnyAt "__entity_at" "(record: any, when: any) -> any" host "The same where the type is known only at run time." "" => "";
        EntitySpread "__entity_spread" "(record: entity, value: any) -> none" host "Sets the declared fields that a map or record has; its other keys count for nothing." "" => "";
        MapRest "__rest" "(map: [K:V], keys: [K]) -> [K:V]" pure "The entries of a map but those with these keys." "" => "";
        EntityRest "__rest" "(record: entity, names: [text]) -> [text:any]" host "The declared fields of a record but those with these names." "" => "";
        AnyRest "__rest" "(value: any, names: [any]) -> any" host "The rest of what is known only at run time to be a map or record." "" => "";
        QueryFind "__query_find" "(query: query, id: any) -> entity?" host "The record with this id among those that the query walks, its steps left out." "" => "";
        QueryHistory "__query_history" "(query: query, id: any) -> [entity]" host "All versions of the record with this id, oldest first." "" => "";
        QueryLinked "__query_linked" "(record: entity, field: int, target: any) -> bool" host "Whether a field of the record, by number, links to the other record." "" => "";
        QueryWith "__query_with" "(query: query, kind: int, argument: any) -> query" pure "A copy of the query with one more step: 0 where, 1 order ascending, 2 order descending, 3 limit, 4 offset; 5 deleted, 6 with deleted and 7 as of a time change its base; 8 the record with an id; 16 and above: links, by the field with that number less 16, to a record." "" => "";
        QuerySteps "__query_steps" "(query: query) -> int" pure "Number of steps of a query." "" => "";
        QueryKind "__query_kind" "(query: query, position: int) -> int" pure "Kind of the n-th step of a query; IndexOutOfBounds." "" => "";
        QueryArg "__query_arg" "(query: query, position: int) -> any" pure "Argument of the n-th step of a query; IndexOutOfBounds." "" => "";
        QueryKnown "__query_known" "(query: query, position: int) -> any" pure "What computes the values that the condition at a step compares with: a function, or none where there are none; false if the condition cannot be asked of the store." "" => "";
        QueryPrepared "__query_prepared" "(query: query, known: [any], wanted: int) -> query" pure "A copy of the query that asks the store for what its conditions leave, with the values that the leading ones compare with; 1: the first record will do, 2: the last." "" => "";
        QueryAnswered "__query_answered" "(query: query) -> bool" pure "Whether the last scan of a prepared query gave exactly what it finds, in its order." "" => "";
        QueryCount "__query_count" "(query: query) -> int" host "How many records a prepared query finds, -1 if that is not for the store to say." "" => "";
        QueryTotal "__query_total" "(query: query, kind: int, key: any, into: [A]) -> bool" host "Puts the sum (0), mean (1), least (2) or greatest (3) of the keys into the list, if the store can say it." "" => "";
        QueryExplain "__query_explain" "(query: query) -> text" host "How a prepared query is answered." "" => "";
        ValidationError "__validation_error" "(entity: text, field: text, rule: text, message: text) -> never" pure "Raises a ValidationError of an entity, field and rule with a message." "" => "";
        TupleNames "__tuple_names" "(value: any, names: int) -> none" pure "TypeError for a tuple that has not as many members as names take it apart." "" => "";
        AssertFailed "__assert_failed" "(condition: text, left: any, right: any) -> never" pure "Raises the AssertionError of a comparison, with both its sides." "" => "";
        StatementEnd "__statement_end" "() -> none" host "A top-level statement of a script, or one of a test, ended: what it saved is kept under `run` and `test`." "" => "";
        ResponseNew "__response" "(map: [K:V]) -> response" pure "The answer that `response { … }` describes: status, headers, body." "" => "";
    }
    prelude {
        // ---- functions that call back
        "map" "map" "(list: [A], f: (A) -> B) -> [B]" pure "What the function gives for each element." "[1, 2, 3].map(n => n * n)" => "[1, 4, 9]";
        "map_indexed" "map" "(list: [A], f: (A, int) -> B) -> [B]" pure "What the function gives for each element and its position." r#"["a", "b"].map((x, i) => x + i).join(" ")"# => "a0 b1";
        "map_map" "map" "(map: [K:V], f: (K, V) -> B) -> [B]" pure "What the function gives for each key and value, as a list." r#"{ a: 1, b: 2 }.map((k, v) => k + v).join(" ")"# => "a1 b2";
        "any_map" "map" "(value: any, f: (any, any) -> any) -> any" pure "What the function gives for each key and value of a map, or each element and position of a list." r#"x = parse_json("[5, 6]"); x.map((n, i) => n * i)"# => "[0, 6]";
        "filter" "filter" "(list: [A], test: (A) -> any) -> [A]" pure "The elements for which the function gives something truthy." "[1, 2, 3, 4].filter(n => n % 2 == 0)" => "[2, 4]";
        "filter_indexed" "filter" "(list: [A], test: (A, int) -> any) -> [A]" pure "The elements for which the function gives something truthy for element and position." "[5, 6, 7].filter((n, i) => i != 1)" => "[5, 7]";
        "map_filter" "filter" "(map: [K:V], test: (K, V) -> any) -> [K:V]" pure "The entries for which the function gives something truthy." "{ a: 1, b: 2 }.filter((k, v) => v > 1).to_json()" => r#"{"b":2}"#;
        "any_filter" "filter" "(value: any, test: (any, any) -> any) -> any" pure "The entries of a map, or the elements of a list, for which the function gives something truthy for key and value, or element and position." r#"x = parse_json("[5, 6]"); x.filter((n, i) => i > 0)"# => "[6]";
        "filter" "where" "(list: [A], test: (A) -> any) -> [A]" pure "The elements for which the function gives something truthy." "[1, 2, 3].where(n => n > 1)" => "[2, 3]";
        "reduce" "reduce" "(list: [A], start: B, f: (B, A) -> B) -> B" pure "Starts with a value and lets the function join each element to it." "[1, 2, 3].reduce(10, (sum, n) => sum + n)" => "16";
        "map_reduce" "reduce" "(map: [K:V], start: B, f: (B, K, V) -> B) -> B" pure "Starts with a value and lets the function join each key and value to it." "{ a: 1, b: 2 }.reduce(0, (sum, k, v) => sum + v)" => "3";
        "flat_map" "flat_map" "(list: [A], f: (A) -> [B]) -> [B]" pure "The lists that the function gives, one after the other." "[1, 2].flat_map(n => [n, n * 10])" => "[1, 10, 2, 20]";
        "each" "each" "(list: [A], f: (A) -> any) -> none" pure "Calls the function with each element." "out = []; [1, 2].each(n => out.push(n + 1)); out" => "[2, 3]";
        "each_indexed" "each" "(list: [A], f: (A, int) -> any) -> none" pure "Calls the function with each element and its position." "out = []; [5, 6].each((n, i) => out.push(n * i)); out" => "[0, 6]";
        "map_each" "each" "(map: [K:V], f: (K, V) -> any) -> none" pure "Calls the function with each key and value." "out = []; { a: 1 }.each((k, v) => out.push(v)); out" => "[1]";
        "any_each" "each" "(value: any, f: (any, any) -> any) -> none" pure "Calls the function with each key and value of a map, or each element and position of a list." r#"out = []; x = parse_json(r"[5, 6]"); x.each((n, i) => out.push(i)); out"# => "[0, 1]";
        "any" "any" "(list: [A], test: (A) -> any) -> bool" pure "Whether the function gives something truthy for some element." "[1, 2].any(n => n > 1)" => "true";
        "map_any" "any" "(map: [K:V], test: (K, V) -> any) -> bool" pure "Whether the function gives something truthy for some key and value." "{ a: 1, b: 2 }.any((k, v) => v > 1)" => "true";
        "all" "all" "(list: [A], test: (A) -> any) -> bool" pure "Whether the function gives something truthy for every element." "[1, 2].all(n => n > 1)" => "false";
        "map_all" "all" "(map: [K:V], test: (K, V) -> any) -> bool" pure "Whether the function gives something truthy for every key and value." "{ a: 1, b: 2 }.all((k, v) => v > 1)" => "false";
        "find" "find" "(list: [A], test: (A) -> any) -> A?" pure "The first element for which the function gives something truthy, none if there is none." "[1, 2, 3].find(n => n > 1)" => "2";
        "map_find" "find" "(map: [K:V], test: (K, V) -> any) -> (K, V)?" pure "The first entry, as a pair of key and value, for which the function gives something truthy, none if there is none." "{ a: 1, b: 2 }.find((k, v) => v > 1)" => r#"("b", 2)"#;
        "find_index" "find_index" "(list: [A], test: (A) -> any) -> int" pure "Position of the first element for which the function gives something truthy, -1 if there is none." "[1, 2, 3].find_index(n => n > 5)" => "-1";
        "sum_of" "sum" "(list: [A], f: (A) -> B) -> any" pure "The sum of what the function gives for the elements; 0 of an empty list." "[{ n: 1 }, { n: 2 }].sum(x => x.n)" => "3";
        "avg_of" "avg" "(list: [A], f: (A) -> B) -> float?" pure "The mean of what the function gives for the elements, none of an empty list." "[{ n: 1 }, { n: 2 }].avg(x => x.n)" => "1.5";
        "min_of" "min" "(list: [A], f: (A) -> B) -> B?" pure "The smallest of what the function gives for the elements, none of an empty list." "[{ n: 1 }, { n: 2 }].min(x => x.n)" => "1";
        "max_of" "max" "(list: [A], f: (A) -> B) -> B?" pure "The greatest of what the function gives for the elements, none of an empty list." "[{ n: 1 }, { n: 2 }].max(x => x.n)" => "2";
        "sort_with" "sort" "(list: [A], order: (A, A) -> float) -> [A]" pure "A new list in the order that the function says: a number below 0 if its first argument comes first, above 0 if its second does, 0 to keep their places; stable." "[3, 1, 2].sort((a, b) => b - a)" => "[3, 2, 1]";
        "sort_by" "sort_by" "(list: [A], key: (A) -> B) -> [A]" pure "A new list in ascending order of what the function gives; stable; NaN after all numbers, none last." r#"["ccc", "a", "bb"].sort_by(s => s.len).join(",")"# => "a,bb,ccc";
        "map_sort_by" "sort_by" "(map: [K:V], key: (K, V) -> B) -> [K:V]" pure "A new map with the entries in ascending order of what the function gives; stable." "{ a: 2, b: 1 }.sort_by((k, v) => v).to_json()" => r#"{"b":1,"a":2}"#;
        "group_by" "group_by" "(list: [A], key: (A) -> K) -> [K:[A]]" pure "The elements by what the function gives for them." r#"["a", "b", "cc"].group_by(s => to_text(s.len)).len()"# => "2";
        "map_group_by" "group_by" "(map: [K:V], key: (K, V) -> G) -> [G:[K:V]]" pure "Maps of the entries by what the function gives for them." "{ a: 1, b: 2, c: 1 }.group_by((k, v) => to_text(v)).to_json()" => r#"{"1":{"a":1,"c":1},"2":{"b":2}}"#;
        "count_by" "count_by" "(list: [A], key: (A) -> K) -> [K:int]" pure "How many elements there are by what the function gives for them." r#"["a", "b", "cc"].count_by(s => to_text(s.len)).to_json()"# => r#"{"1":2,"2":1}"#;
        "map_count_by" "count_by" "(map: [K:V], key: (K, V) -> G) -> [G:int]" pure "How many entries there are by what the function gives for them." "{ a: 1, b: 2, c: 1 }.count_by((k, v) => to_text(v)).to_json()" => r#"{"1":2,"2":1}"#;
        "partition" "partition" "(list: [A], test: (A) -> any) -> ([A], [A])" pure "The elements for which the function gives something truthy, and the others." "[big, small] = [1, 5].partition(n => n > 3); big" => "[5]";
        "map_partition" "partition" "(map: [K:V], test: (K, V) -> any) -> ([K:V], [K:V])" pure "The entries for which the function gives something truthy, and the others." "[big, small] = { a: 1, b: 5 }.partition((k, v) => v > 3); big.to_json()" => r#"{"b":5}"#;
        "flatten" "flatten" "(list: [[A]]) -> [A]" pure "The elements of the lists in one list." "[[1, 2], [3]].flatten" => "[1, 2, 3]";
        "values" "values" "(map: [K:V]) -> [V]" pure "The values in insertion order." "{ a: 1, b: 2 }.values()" => "[1, 2]";
        "map_values" "map_values" "(map: [K:V], f: (V) -> W) -> [K:W]" pure "The map with what the function gives for each value." "{ a: 1 }.map_values(v => v + 1).to_json()" => r#"{"a":2}"#;
    }
    inline {
        // ---- by ops in place
        DurationMs "ms" "(number: int) -> duration" pure "That many milliseconds as a duration." "d = 3.ms; d.ms" => "3";
        DurationSeconds "seconds" "(number: int) -> duration" pure "That many seconds as a duration." "d = 3.seconds; d.seconds" => "3";
        DurationMinutes "minutes" "(number: int) -> duration" pure "That many minutes as a duration." "d = 3.minutes; d.minutes" => "3";
        DurationHours "hours" "(number: int) -> duration" pure "That many hours as a duration." "d = 3.hours; d.hours" => "3";
        DurationDays "days" "(number: int) -> duration" pure "That many days as a duration." "d = 3.days; d.days" => "3";
        DurationWeeks "weeks" "(number: int) -> duration" pure "That many weeks as a duration." "d = 3.weeks; d.weeks" => "3";
        Pi "PI" "() -> float" pure "Circumference of a circle by its diameter." "PI" => "3.141592653589793";
        Euler "E" "() -> float" pure "Base of the natural logarithm." "E" => "2.718281828459045";
        TextLen "len" "(text: text) -> int" pure "Number of characters (Unicode scalar values)." r#""añb".len"# => "3";
        ListLen "len" "(list: [A]) -> int" pure "Number of elements." "[1, 2].len" => "2";
        ListPush "push" "(list: [A], value: A) -> [A]" pure "Appends an element and returns the list." "xs = [1]; xs.push(2)" => "[1, 2]";
        ListConcat "concat" "(list: [A], other: [A]) -> [A]" pure "A new list with the elements of both." "[1].concat([2])" => "[1, 2]";
        MapGet "get" "(map: [K:V], key: K) -> V?" pure "Value of the key, none if it is not there." r#"m = { a: 1 }; m.get("a")"# => "1";
        MapSet "set" "(map: [K:V], key: K, value: V) -> [K:V]" pure "Sets the key and returns the map." r#"m = { a: 1 }; m.set("a", 2).to_json()"# => r#"{"a":2}"#;
        ToText "to_text" "(value: any) -> text" pure "The value as it is printed." "to_text(3.0)" => "3.0";
        Now "now" "() -> time" host "The time of this request." "now == now" => "true";
        Print "print" "(...values: any) -> none" host "Prints the values, a blank between them, and a line end." r#"print("hello", [1]); 1"# => "1";
        LogInfo "log_info" "(...values: any) -> none" host "Writes the values to the log, a blank between them." r#"log_info("started"); 1"# => "1";
        LogWarn "log_warn" "(...values: any) -> none" host "Writes the values to the log as a warning." r#"log_warn("slow"); 1"# => "1";
        LogError "log_error" "(...values: any) -> none" host "Writes the values to the log as an error." r#"log_error("broken"); 1"# => "1";
        Fail "fail" "(kind: text, message: text) -> never" pure "Raises an error of that kind with that message." r#"r = try fail("Full", "no seat left"); r.kind"# => "Full";
        FailAgain "fail" "(error: error) -> never" pure "Raises an error again that was caught, with its place and trace." r#"r = try fail(try [1][9]); r.kind"# => "IndexOutOfBounds";
    }
}
