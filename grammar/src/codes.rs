//! The one list of diagnostic codes of the compiler.
//!
//! A row gives number, name, title and the long text that `flinc explain` prints. The numbers are public and stable: a row
//! may be added, never renumbered or reused. F0001-F0099 are syntax; F0100 and up belong to the stages after it (names,
//! types, placement, what is not supported yet). A new diagnostic: one row here, one place that reports it, one test.

macro_rules! codes {
    ($($number:literal $name:ident $title:literal $long:literal;)*) => {
        /// A diagnostic's code.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u16)]
        pub enum Code {
            $(#[doc = $title] $name = $number,)*
        }

        impl Code {
            /// All codes, in the order of the list.
            pub const ALL: &'static [Code] = &[$(Code::$name),*];

            /// What the code is about, in a few words.
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self { $(Code::$name => $title),* }
            }

            /// The long text for `flinc explain`.
            #[must_use]
            pub const fn explanation(self) -> &'static str {
                match self { $(Code::$name => $long),* }
            }

            /// The name of the row, for tools.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Code::$name => stringify!($name)),* }
            }
        }
    };
}

codes! {
    1 UnexpectedToken "something stands where it cannot stand"
"The text does not follow the grammar at this place. The message names what was found and what could stand there.
A newline or `;` ends a statement; two statements on one line need a `;` between them.";
    2 UnexpectedEnd "the file ends too early"
"The file ended in the middle of a statement or declaration. Something opened earlier is not finished.";
    3 UnknownCharacter "a character that FLIN does not use"
"Outside of texts, comments and markup only letters, digits, brackets, quotes and operators have a meaning.
Typographic quotes and other look-alikes often come from copied text; type them again.";
    4 UnclosedText "a text literal is not closed"
"A text that starts with `\"`, `'` or `r\"` must end with the same quote. Inside of a text write `\\\"` for the quote itself.
A text may span lines, so a missing quote is reported at its opening.";
    5 UnclosedComment "a comment is not closed"
"`/*` comments end with `*/` and may be nested; `<!--` comments in markup end with `-->`.";
    6 BadEscape "an unknown escape in a text"
"The escapes are \\n \\r \\t \\\\ \\\" \\' \\{ \\} and \\u{1F600}. A raw text `r\"…\"` knows no escapes.";
    7 BadNumber "a number that cannot be read"
"Numbers are written 42, 1_000, 0xff, 0b101, 3.14 or 1e9. A unit is a method: `5.minutes`.";
    8 IntTooLarge "an int literal beyond 64 bits"
"Ints go from -9223372036854775808 to 9223372036854775807. Write a float (`1e20`) for bigger numbers.";
    9 UnclosedBracket "a bracket is not closed"
"Every `(`, `[` and `{` needs its closing partner. If the file does not balance, indentation decides where the missing one
is assumed: a line that starts no deeper than the line of an open bracket ends that bracket.";
    10 StrayCloser "a closing bracket without an opening one"
"A `)`, `]` or `}` closes nothing here, or closes a bracket of another kind.";
    11 TooDeep "brackets are nested too deeply"
"Brackets, tags and texts may stand at most 256 deep inside one another. Give inner parts a name or a function of their own.";
    12 TooHigh "an expression is too long"
"An expression may be at most 2,000 operations high; long chains such as `a + b + c + …` count too. Use a list and `sum` or
`join`, or several statements.";
    13 FileTooLarge "the file is too large"
"One source file may have at most 16 MiB and 1,000,000 words and signs. Move data out of the program, or split the file.";
    14 NotUtf8 "the file is not UTF-8 text"
"Source files are UTF-8. Save the file as UTF-8 in your editor.";
    15 AssignmentAsValue "an assignment where a value is expected"
"An assignment (`=`, `+=`, `++` …) is a statement. It may also be the body of a lambda, match arm, handler, `then` or `else`.
To compare write `==`; to name an argument write `f(limit: 3)`.";
    16 BadAssignmentTarget "this cannot be assigned"
"Assigned can be names (`x`), fields (`todo.title`) and items (`xs[0]`, `m[\"key\"]`).";
    17 ChainedComparison "comparisons do not chain"
"`a < b < c` would compare a bool with c. Write `a < b && b < c`.";
    18 MissingElse "`then` without `else`"
"`if c then a else b` is a value and needs both sides. Without an `else` write a block: `if c { a }`.";
    19 DuplicateKey "a map has the same key twice"
"In a map literal each key may stand once; the second value would silently hide the first.";
    20 UnclosedTag "an element is not closed"
"Every element needs its closing tag (`<p>…</p>`) or closes itself (`<p/>`). Only void elements such as `<br>` and `<input>`
need none. The same holds for `{if}` … `{/if}` and `{for}` … `{/for}`.";
    21 StrayTag "a closing tag without its element"
"A closing tag (or `{/if}`, `{/for}`, `{else}`, `{empty}`) closes nothing that is open here.";
    22 ScriptRefused "`<script>` is not allowed"
"Code of the page is FLIN code; handlers that can run in the browser become scripts by themselves. For a script file of your
own, put it into `public/`.";
    23 BadMarkup "markup that cannot be read"
"Inside a tag stand attributes: `name=\"text\"`, `name={expression}` or `name` alone.";
    24 UnknownCharacterReference "an unknown character reference"
"Markup knows the common names such as &amp; &lt; &nbsp; &copy; and numbers such as &#8364;. A plain `&` needs nothing.";
    25 NotInThisVersion "a planned part of the language"
"`trait`, `impl`, bounds of type parameters and money literals are reserved for a later version of the language.";
    26 ElementAsValue "an element where a value is expected"
"Elements are statements, not values. Make a component and use it as a tag, or put the element into the view.";
    27 InterpolationNotAllowed "an interpolation in a fixed text"
"Paths, names of tests, schedules, quoted keys and patterns are fixed texts; `{` cannot compute parts of them. For a real
brace write `\\{`.";
    28 EmptyInterpolation "an empty interpolation"
"In any text `{ }` holds an expression. For real braces write `\\{\\}` or a raw text r\"{}\".";
    29 Misplaced "a declaration at a wrong place"
"Some declarations have a place: `on` stands in `ws`, `...rest` at the end of a pattern, parameters without default before
those with one.";
    30 NotBeforeIn "`!` binds tighter than `in` and `is`"
"`!x in xs` asks whether `!x` is in xs. Write `x not in xs`, or `!(x in xs)` if that is meant.";
    31 TooManyErrors "too many errors"
"At most 50 errors are shown per run. Repair the first ones; later ones are often consequences.";
    32 TypeArguments "type arguments at a value"
"`Name<T>` without a blank is a type. For a comparison put blanks around `<`.";
    33 BadLabel "a label at a wrong place"
"A label names a loop: `'outer: for x in xs { … break 'outer }`.";
    34 MissingSeparator "two statements on one line"
"A newline or `;` ends a statement. Only declarations, loops and elements need none.";
    35 ReservedWord "a reserved word as a name"
"`if then else while for in is match loop fn return break continue let const try catch true false none` cannot be names of
variables or functions. They may be keys, fields and argument names.";
    36 MissingBlock "a block is missing"
"`if`, `while`, `for`, `fn`, `catch` and the other heads are followed by a block in braces.";
    37 BadPattern "a pattern that cannot be read"
"Patterns are names, literals, `_`, `Type name`, `Variant(p)`, `[a, ...r]`, `{ key, other: p }` and `(a, b)`, joined by `|`.";
    38 EmptyList "nothing where something is needed"
"An enum needs a variant, a tuple two items.";
    39 ForBindings "too many loop variables"
"A loop has one or two variables: `for x in xs`, `for x, i in xs`, `for key, value in map`.";
    100 UnknownName "a name that is not known here"
"A name must be declared before it is read: by an assignment, `let`, a parameter, a loop or at the top level. A name that is
declared inside of a block ends with that block.";
    101 UnknownFunction "a function that is not known"
"The name is neither a function or variable of the program nor a library function.";
    102 UnknownType "a type that is not known"
"Types are int, float, text, bool, none, time, duration, any, error, lists [T], maps [K:V], tuples (A, B), functions
(A) -> B, optional T?, unions A | B, and the entities, enums and type aliases of the program.";
    103 DuplicateName "a name is declared twice"
"Functions, variables, entities, enums and types of one file share their names. Inside of blocks `let` may declare a name
again.";
    104 UsedTooEarly "a variable is used before it has a value"
"Variables at the top level get their values in the order of the file. What reads one must stand (or be called) after it.";
    105 AssignToConstant "a constant is assigned"
"`const` gives a name a value once. Use a variable for what changes.";
    106 AssignToDeclaration "a declaration is assigned"
"Functions declared with `fn`, entities, enums and types cannot be assigned.";
    107 WrongArguments "wrong arguments of a call"
"A call gives a value for every parameter that has no default, and no more than there are parameters. Arguments may be named:
`f(limit: 3)`; named ones stand after the others.";
    108 OutsideLoop "`break` or `continue` outside of a loop"
"`break` and `continue` belong to the loop around them, in the same function.";
    109 OutsideFunction "`return` outside of a function"
"`return` ends a function, lambda, route, handler or test.";
    110 UnknownLabel "a label that no loop around has"
"Labels name loops: `'outer: for x in xs { … break 'outer }`.";
    111 UnknownField "a field that the entity does not have"
"Entity literals may set the declared fields. `id version created_at updated_at deleted_at` are set by the runtime.";
    112 UnknownDecorator "a decorator that is not known"
"Fields know @required @unique @index @min @max @minLength @maxLength @positive @email @url @pattern @one_of @check
@immutable @hidden @default @on_delete @inverse @was; entities know @keep and @was, behind their name.";
    113 BadDecorator "a decorator that does not fit"
"The message says which arguments the decorator takes, and to which types of fields it applies.";
    114 RefutablePattern "a pattern that may not fit"
"In `let`, assignments, parameters and loops a pattern must always fit: names, `_`, lists, maps and tuples of such. Use `match`
for the others.";
    115 NotExhaustive "`match` does not cover every value"
"A match over an enum, a bool or a union must have an arm for every case, any other match an arm that always fits: `_ -> …`.";
    116 UnreachableArm "an arm that is never reached"
"An arm above fits every value, so this one never runs.";
    117 UnknownVariant "a variant that the enum does not have"
"Variants are written with their enum, `Status.Open`; in patterns the variant alone will do.";
    118 VariantData "the data of a variant do not fit"
"A variant takes exactly as many values as its declaration names.";
    119 BadFieldType "a type that an entity cannot keep"
"Fields may be int, float, text, bool, time, duration, any, enums, links to entities, and lists, maps and tuples of values.";
    120 RecursiveAlias "a type alias that contains itself"
"A type alias is another name for a type, so it cannot stand inside of its own definition.";
    121 TypeArgumentCount "wrong number of type arguments"
"A generic type takes as many arguments as its declaration has parameters.";
    122 FieldAndVariable "a name that is both a field and a variable"
"In an argument of a query a bare name is the entity's field first. Write a lambda to say which one is meant:
`where(t => t.owner == owner)`.";
    123 NotAValue "a declaration is used as a value"
"Enums, types and components are no values. A variant is written `Status.Open`.";
    124 BadAlternatives "alternatives that bind different names"
"All alternatives of `a | b` must bind the same names, because the arm's body uses them.";
    125 AlreadyVisible "an annotated assignment to a name that is visible"
"`name: type = value` declares. Leave the type out to assign, or write `let` for a new variable of that name.";
    126 ReadOnlyCopy "an assignment to a copy"
"A handler gets the values of loop variables as they were when the page was shown; assigning them, or a part of them such as
`row.done = true`, changes nothing. Walk the list with positions, `{for row, i in rows}`, and assign `rows[i].done`.";
    127 ConstantDepends "a constant that depends on a variable"
"Constants are computed once, before anything else. They may use literals, other constants and functions of these.";
    200 WrongType "a value of the wrong type"
"A declared variable, parameter, result, field or element takes values of its type only. An int may stand for a float; `any`
takes everything. Values whose type is known only at run time are checked there.";
    201 BadOperands "an operator that does not fit its operands"
"Arithmetic is for numbers, `+` also joins texts and lists; `<` compares two numbers, two texts, two times. Use `to_int`,
`to_float` or `to_text` to turn one into the other.";
    202 WrongArgumentCount "a function value is called with the wrong number of arguments"
"A function that is kept in a variable or passed to another function must take as many arguments as it is called with.";
    203 NoSuchField "a field that is not there"
"Entities have their declared fields and `id version created_at updated_at deleted_at`; errors have `kind message field cause`.";
    204 NoSuchMethod "a method that is not there"
"Methods are the functions of the library; which there are depends on the type of the value before the dot.";
    205 NotCallable "a call of something that is no function"
"Only functions can be called: declared ones, lambdas, and variables or fields that hold one.";
    206 NotAnEntity "`save`, `delete`, `restore` or `destroy` of something that is no entity"
"Only records of entities are kept in the store: `save Todo { … }`, `delete todo`.";
    207 QueryArgument "a bare condition where a function is needed"
"`where(done == false)` with bare field names works on queries. For lists write a lambda: `where(t => t.done == false)`.";
    208 NotIterable "a value that has no elements"
"`for` and `in` take lists, maps, ranges, texts and queries. For numbers write a range: `for i in 0..n`.";
    209 NotIndexable "a value that has no positions or keys"
"`x[i]` works for lists, texts, tuples and maps.";
    210 NeverEqual "a comparison that always comes out the same"
"Values of unlike types are never equal: an int is no text, a record is not its id, an enum value is not its name. Ints and
floats compare by their value.";
    211 AbsentKey "a key that the map never has"
"No map that comes to this place has the key, and one of its keys has nearly this name. An absent key is `none`, so the program
would go on without it. `map.len` is such a key, too: on a map `.name` is always the key, and a method needs its parentheses,
`map.len()`.";
    300 NotSupported "a construct that is not supported yet"
"The construct is part of the language and is read, but this version cannot run it. `flinc --unsupported` prints the list.";
    301 WriteWhileShowing "entities are changed while a page is shown"
"Views, initial values, defaults and checks may be computed at any time and any number of times, so they may not save, delete,
restore or destroy entities. Do it in a handler, a route or a top-level statement.";
    302 StateAtTopLevel "a top-level statement uses page state"
"In a file with a view, state belongs to a visitor; statements at the top level run once, when the server starts, when there is
no visitor. They may use entities and constants.";
    303 SeveralViews "a page has more than one view"
"Put everything into one `view { … }`, or use `page \"/path\" { … }` for several pages.";
    304 DuplicatePath "a path is used twice"
"Each page has its own path, each route its own method and path. `:name` parts fit every text, so their names do not matter.";
    305 BadPath "a path that cannot be used"
"Paths start with `/`; `:name` takes one part of the path.";
    306 BadBind "`bind` does not fit"
"`bind={variable}` stands on input, textarea or select, and names a variable of the page that no function hides.";
    307 BadHandler "a handler that does not fit"
"Handlers stand on elements: `click={add()}`, `keydown.enter={send()}`; a handler is an expression, a block or a function's name.";
    308 UnsafeAttribute "an attribute that would run code"
"URLs that start with `javascript:` and attributes such as `onclick` put code into the page and are refused, and so are values that
become addresses unseen: in `<meta http-equiv=\"refresh\">`, and in animations of a link.";
    309 BadKey "a key that belongs to no item"
"`key={e}` tells the items of a `{for}` apart. It stands on the first element of the loop's body.";
    310 DeclarationPlace "a declaration at a place where it has no meaning"
"Entities, enums, types, pages, views, routes and tests stand at the top level of a file.";
    311 AssignedTwice "a top-level variable is assigned twice"
"In a file with pages or routes a variable at the top level gets its first value once, by one statement. Functions and handlers may
assign it later.";
    312 LostChange "a change that is lost"
"The variable is computed again for every request, so a change of the list or map it holds is forgotten. Assign the variable a
list or map literal to make it page state, or save entities. A record that a handler changes keeps its old value unless it is
saved: `todo.done = true; save todo`.";
    313 RawOutsideView "`raw` outside of a view"
"`raw(text)` stands alone between the braces of a view's text: `{raw(html)}`.";
    320 MisplacedFile "a file of a project at a place where it cannot be anything"
"Pages stand in `app/`: the name of the file is the path, `index.flin` that of its folder, `[name]` one part of any value and
`[...name]` all the rest. `_layout.flin` is the frame around the pages of its folder. A file in `components/` is a component of its
name, so it begins with a capital letter. What stands in `lib/` and `entities/` is there for all.";
    321 BadSlot "a `<slot/>` that does not fit"
"`<slot/>` stands in a layout, where its pages shall be, and in a component, where the content of its tag shall be.";
    322 BadProp "a prop that does not fit"
"A component takes the props it declares: `component Card(title, tone = \"plain\") { … }`. Those without a default value must be given,
and no others can be. A file in `components/` has the props that it reads as `props.name`; what is not given is none.";
    323 BadComponent "a component that cannot be used"
"A capitalised tag is a component: one that the file declares, or a file in `components/`. A component may show itself, for the
parts of what it shows: in a `{for}` over them, or in an `{if}`.";
    330 UnknownElement "an element that HTML does not have"
"Elements are those of HTML and, inside of `<svg>`, of drawings. An element of your own has a hyphen in its name, a component begins
with a capital letter. `<html>`, `<head>` and `<body>` are written by the server.";
    331 UnknownAttribute "an attribute that means nothing"
"Browsers ignore attributes that they do not know, so a slip of the pen shows nowhere. Attributes of your own begin with `data-`.";
    332 MissingAlternative "an image without a text that stands for it"
"Who cannot see an image is told its `alt`. For mere decoration write `alt=\"\"`.";
    333 MissingLabel "a control without a label"
"Who cannot see the page is told the label of a control: put the control into a `<label>`, give the label `for=\"id\"`, or the control
an `aria-label`. A `placeholder` or `title` will do, too.";
    334 BadNesting "an element where a browser does not leave it"
"Browsers repair some markup while they read it: they end a `<p>` before a `<div>`, put text out of a table, leave out a `<tr>` that
stands in no table. The page would be another one than the view says, and its parts could not be found again.";
    335 DuplicateId "an id that is there more than once"
"An id names one element of a page. Labels, links and style sheets mean the first one that has it. For several use `class`, or make the
id one of the item: `id=\"row-{item.id}\"`.";
    390 TooBig "a function or entity is too big"
"The machine gives a function a limited number of registers and instructions. Move parts of it into functions of their own, or
break very long expressions into several statements. An entity may have 250 fields.";
    391 FormatterFault "the formatter refused to change a file"
"Before a formatted file is written, it is read again; if it would not be the same program with the same comments, it is left alone.
That is a mistake of the formatter, not of the program.";
}

impl Code {
    /// The stable number.
    #[must_use]
    pub const fn number(self) -> u16 {
        self as u16
    }

    /// The code with this number, written `F0017`, `f17` or `17`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Code> {
        let digits = text.strip_prefix(['F', 'f']).unwrap_or(text);
        let number: u16 = digits.parse().ok()?;
        Code::ALL
            .iter()
            .copied()
            .find(|code| code.number() == number)
    }
}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "F{:04}", self.number())
    }
}
