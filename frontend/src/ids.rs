//! How the ids of resolved programs and of types are declared. Here because both are tables full of ids. Must stay true: an
//! id is a number of its own type, a position in exactly one table.

/// Declares id types: each with its comment, one after the other.
macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub u32);
        impl $name {
            /// The id as a position in its table.
            pub const fn index(self) -> usize { self.0 as usize }
        }
    )*};
}

pub(crate) use ids;
