//! The closed list of constructs that the grammar reads and later stages do not do yet. Here because one list is printed
//! by `flinc --unsupported` and counted by a test. Must stay true: whoever meets such a construct reports it from this
//! list, with its place; nothing is skipped in silence or given another meaning. The list may only shrink.

use flin_syntax::{Code, Diagnostic, Span};

macro_rules! unsupported {
    ($($name:ident $title:literal $hint:literal;)*) => {
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

            /// What to do meanwhile; empty if there is nothing to say.
            pub const fn hint(self) -> &'static str {
                match self { $(Unsupported::$name => $hint),* }
            }
        }
    };
}

unsupported! {
    Components "components" "write the markup in the view itself";
    Slots "slots" "write the markup in the view itself";
    Lifecycle "onMount, onUpdate and onUnmount" "";
    Middleware "middleware" "";
    WebSockets "ws blocks" "changes of entities are pushed to open pages without one";
    Jobs "every and cron" "start a script with `flinvm run` from your system's scheduler";
    Guards "guards" "test the condition in the route and call `error(403, \"…\")`";
    ValidateBlocks "validate blocks" "put the validators on the entity's fields";
    PathFromFile "routes without a path" "write the path: `route GET \"/x\" { … }`";
    PageParameters "pages with parameters in their path" "";
    Session "session" "";
    TimeTravel "time travel with `@`, `history` and `at`" "";
    Money "the type money" "use int for cents, or float";
    Files "the type file and file inputs" "";
    Inverse "inverse lists of entities" "use a query: `Todo.where(owner == user)`";
    LinksInValues "links to entities inside of lists, maps and tuples of an entity" "make an entity that holds the two links";
    EventValues "the event in a handler" "bind the control to a variable and read that";
    AsyncState "loading(…), error(…) and error_message(…) of a variable" "messages of failed actions appear at their field by themselves";
    EntitySpread "spreading into an entity literal" "name the fields, so that a request cannot set others";
    EntityRest "the rest of an entity in a pattern" "name the fields";
    GenericEnums "enums with type parameters" "use `any`";
    NamedLibraryArguments "named arguments of library functions and function values" "give the arguments by position";
    DefaultsOfParameters "default values that use other parameters" "test for none in the body";
    DynamicControls "bound controls whose type is computed" "write one control per type with {if}";
    BindParts "binding a part of a value" "bind a variable of the page and copy it in the submit handler";
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

/// The list as text, one title per line, for `flinc --unsupported`.
#[must_use]
pub fn list() -> String {
    Unsupported::ALL
        .iter()
        .map(|it| format!("{}\n", it.title()))
        .collect()
}
