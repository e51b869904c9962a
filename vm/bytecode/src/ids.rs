//! Numbers with a meaning: every index that appears in a module has a type of its own, so that a register can never be
//! taken for a constant. Here because all other files of the crate, the compiler and the VM name them.
//! Must stay true: an id is an index into the table named in its comment; the verifier checks it once at load.

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident($inner:ty);)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub $inner);
        impl $name {
            /// The id as a position in its table.
            pub const fn index(self) -> usize { self.0 as usize }
        }
    )*};
}

ids! {
    /// A register of one bank of a frame; the bank follows from the class (`Class::bank`).
    /// 0..=255 are near registers (nameable in an instruction), 256.. are far ones (only `mov.wide` reaches them).
    Reg(u16);
    /// Index into `Module::functions`.
    FuncId(u32);
    /// Index into `Module::constants`.
    ConstId(u32);
    /// Index into `Module::shapes`.
    ShapeId(u32);
    /// Index into `Module::entities`.
    EntityTypeId(u32);
    /// Index into `Module::globals`.
    GlobalId(u32);
    /// Index into `Module::signatures`.
    SigId(u32);
    /// Index into `Module::types`.
    TypeId(u32);
    /// Index into `Module::pages`.
    PageId(u32);
    /// Index into `Page::handlers` of the page being rendered.
    HandlerId(u32);
    /// Row number of the library table (`crate::library`).
    LibId(u16);
}

/// Number of an entity field in `entity.get`, `entity.set` and `entity.follow`: declared fields count from 0 in source
/// order, the automatic ones stand below zero (so their numbers do not depend on the entity).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FieldNo(pub i32);

impl FieldNo {
    /// `id` (int; none until saved).
    pub const ID: FieldNo = FieldNo(-1);
    /// `version` (int).
    pub const VERSION: FieldNo = FieldNo(-2);
    /// `created_at` (time).
    pub const CREATED_AT: FieldNo = FieldNo(-3);
    /// `updated_at` (time).
    pub const UPDATED_AT: FieldNo = FieldNo(-4);
    /// `deleted_at` (time or none).
    pub const DELETED_AT: FieldNo = FieldNo(-5);
    /// `valid_from` (time): since when the version is, or was, the newest.
    pub const VALID_FROM: FieldNo = FieldNo(-6);
    /// `valid_to` (time, or none for the newest version).
    pub const VALID_TO: FieldNo = FieldNo(-7);
    /// The lowest number in use.
    pub const LOWEST: FieldNo = FieldNo::VALID_TO;

    /// The automatic fields and their names.
    const AUTOMATIC: [(FieldNo, &'static str); 7] = [
        (FieldNo::ID, "id"),
        (FieldNo::VERSION, "version"),
        (FieldNo::CREATED_AT, "created_at"),
        (FieldNo::UPDATED_AT, "updated_at"),
        (FieldNo::DELETED_AT, "deleted_at"),
        (FieldNo::VALID_FROM, "valid_from"),
        (FieldNo::VALID_TO, "valid_to"),
    ];

    /// The automatic field of this name.
    pub fn automatic(name: &str) -> Option<FieldNo> {
        let mut all = FieldNo::AUTOMATIC.into_iter();
        all.find(|(_, known)| *known == name)
            .map(|(field, _)| field)
    }

    /// The name of an automatic field; `None` for declared ones.
    pub fn automatic_name(self) -> Option<&'static str> {
        let mut all = FieldNo::AUTOMATIC.into_iter();
        all.find(|(known, _)| *known == self).map(|(_, name)| name)
    }

    /// The position among the declared fields, unless automatic.
    pub const fn declared(self) -> Option<usize> {
        if self.0 >= 0 {
            Some(self.0 as usize)
        } else {
            None
        }
    }
}
