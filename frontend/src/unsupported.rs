//! The closed list of constructs that the grammar reads and later stages do not do yet. Here because one list is printed
//! by `flinc --unsupported` and counted by a test. Must stay true: whoever meets such a construct reports it from this
//! list, with its place; nothing is skipped in silence or given another meaning. The list may only shrink. A row reads
//! `Name tier "title" "what to do meanwhile";`.

use flin_syntax::{Code, Diagnostic, Span};

macro_rules! unsupported {
    ($($name:ident $tier:literal $title:literal $hint:literal;)*) => {
        /// A construct that is read but not done yet.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Unsupported {
            $(#[doc = $title] $name,)*
        }

        impl Unsupported {
            /// The whole list, in order.
            pub const ALL: &'static [Unsupported] = &[$(Unsupported::$name),*];

            /// What it is, in a few words.
            pub const fn title(self) -> &'static str {
                match self { $(Unsupported::$name => $title),* }
            }

            /// How soon it is due: 1 is the core of the language, 2 what makes it full-stack, 3 comes later.
            pub const fn tier(self) -> u8 {
                match self { $(Unsupported::$name => $tier),* }
            }

            /// What to do meanwhile; empty if there is nothing to say.
            pub const fn hint(self) -> &'static str {
                match self { $(Unsupported::$name => $hint),* }
            }
        }
    };
}

unsupported! {
    Middleware 2 "middleware" "";
    WebSockets 2 "ws blocks" "changes of entities are pushed to open pages without one";
    Jobs 2 "every and cron" "start a script with `flinvm run` from your system's scheduler";
    Guards 2 "guards" "test the condition in the route and call `error(403, \"…\")`";
    ValidateBlocks 2 "validate blocks" "put the validators on the entity's fields";
    Session 2 "session" "";
    Money 3 "the type money" "use int for cents, or float";
    Files 2 "the type file and file inputs" "";
}

impl Unsupported {
    /// The diagnostic for one place.
    #[must_use]
    pub fn at(self, span: Span) -> Diagnostic {
        let found = Diagnostic::error(
            Code::NotSupported,
            span,
            format!("not supported yet: {}", self.title()),
        );
        if self.hint().is_empty() {
            found
        } else {
            found.hint(self.hint())
        }
    }
}

/// The list as text, one `tier 2: components` per line, for `flinc --unsupported`.
#[must_use]
pub fn list() -> String {
    Unsupported::ALL
        .iter()
        .map(|it| format!("tier {}: {}\n", it.tier(), it.title()))
        .collect()
}
