//! Types of the program as inference found them, and the class each has in a register. Here because inference fills it
//! and lowering reads it. Must stay true: a `Ty` is a small copyable id into the tables of `Types`; containers are
//! invariant (two values whose containers may meet share one table entry); a type's class follows from the type alone.
#![allow(
    missing_docs,
    reason = "variants and fields are named as the construct they stand for"
)]

use flin_bytecode::{Class, LibId};
use foldhash::HashMap;

use crate::hir::{EntityIx, EnumIx, ExprId, FnId};
use crate::ids::ids;

ids! {
    /// Index into `Types::lists`.
    ListTy
    /// Index into `Types::maps`.
    MapTy
    /// Index into `Types::records`.
    RecordTy
    /// Index into `Types::tuples`.
    TupleTy
    /// Index into `Types::funcs`.
    FuncTy
    /// Index into `Types::unions`.
    UnionTy
    /// Index into `Types::instances`: one typed copy of a function.
    InstId
}

/// A type after inference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ty {
    /// No value ever arrives (a call that only fails, an empty list's element).
    Never,
    None,
    Bool,
    Int,
    Float,
    Text,
    Time,
    Duration,
    Range,
    Error,
    Response,
    List(ListTy),
    Map(MapTy),
    Record(RecordTy),
    Tuple(TupleTy),
    Entity(EntityIx),
    Query(EntityIx),
    Enum(EnumIx),
    Func(FuncTy),
    /// Two or more of the others (optional is a union with none).
    Union(UnionTy),
    Any,
}

/// Everything inference found out.
#[derive(Clone, Debug, Default)]
pub struct Types {
    /// Element type per list type.
    pub lists: Vec<Ty>,
    /// Value type per map type.
    pub maps: Vec<Ty>,
    /// Fields per record type, in the slot order of its shape. All its creation sites have these names in this order;
    /// map literals that meet with other names or another order are of a map type instead.
    pub records: Vec<Vec<(String, Ty)>>,
    /// Members per tuple type.
    pub tuples: Vec<Vec<Ty>>,
    /// Function types.
    pub funcs: Vec<FuncInfo>,
    /// Members per union, without duplicates, none last.
    pub unions: Vec<Vec<Ty>>,
    /// Type of each global.
    pub globals: Vec<Ty>,
    /// Typed copies of functions, in the order found; every function that can run has at least one.
    pub instances: Vec<Instance>,
    /// The instance by which roots, handlers, lambdas and internal functions are entered.
    pub entry: HashMap<FnId, InstId>,
}

/// A function type: parameters and result joined over the lambdas that may be called through it.
#[derive(Clone, Debug)]
pub struct FuncInfo {
    pub params: Vec<Ty>,
    pub result: Ty,
    /// The type was written down, so that a value out of `any` may be of it: other functions than those below.
    pub open: bool,
    /// The functions it may be; empty when unknown (came from `any`).
    pub lambdas: Vec<FnId>,
    /// The instances it may be, one per entry of `lambdas` or more (a lambda of a function with several instances).
    pub targets: Vec<InstId>,
}

/// One typed copy of a function.
#[derive(Clone, Debug)]
pub struct Instance {
    pub func: FnId,
    /// Of a function that is a value: what computes the default value of each parameter (shorter if the rest has none,
    /// and none where no call can come).
    pub defaults: Vec<Option<InstId>>,
    /// Type of each local (parameters and captures included).
    pub locals: Vec<Ty>,
    /// Type of each expression; a read of a narrowed local has the narrow type here.
    pub exprs: Vec<Ty>,
    pub result: Ty,
    /// What calls, methods, fields and implicit fields turned out to mean.
    pub meaning: HashMap<ExprId, Meaning>,
}

/// What an expression that depends on types means.
#[derive(Clone, Debug, PartialEq)]
pub enum Meaning {
    /// Call of this instance; for `Method`/`Field` the receiver is the first argument.
    Direct(InstId),
    /// Call through a function value with these types of the arguments and the result (all its lambdas agree on them).
    Closure { params: Vec<Ty>, result: Ty },
    /// Native library row; arguments are passed as the row's classes ask. `Method`/`Field`: receiver first.
    Lib(LibId),
    /// Library row that is done by an op of the table (`len`, `push`, `to_text`, `print`, …).
    LibOp(LibId),
    /// Field of a record by its name (slot from the record type).
    RecordField,
    /// Key of a map (value type any or the map's).
    MapKey,
    /// Declared field of an entity.
    EntityField(u32),
    /// `id version created_at updated_at deleted_at valid_from valid_to`.
    SystemField(SystemField),
    /// An inverse list of an entity, by its number: a query.
    Inverse(u32),
    /// `kind message field cause position` … of an error value.
    ErrorField,
    /// Decided at run time: receiver is `any` or a union.
    Dynamic,
    /// `recv.name` on `any` where `name` is also a library function: if the receiver is a map, entity or error at run
    /// time then its field of that name, else as inside (receiver first).
    KeyOr(Box<Meaning>),
    /// Implicit field in a query argument: the entity has it (as `EntityField`/`SystemField` of `it`).
    ImplicitOwn(Box<Meaning>),
    /// Implicit field in a query argument: the outer name.
    ImplicitOuter,
    /// An argument (by its place, the receiver is 0) is a query or range: turn it into a list by calling this instance of
    /// the prelude first, then as inside.
    ViaList(InstId, u32, Box<Meaning>),
    /// `Entity.find(x)` on the entity name itself.
    EntityFind(EntityIx),
    /// `Entity.count` on the entity name itself.
    EntityCount(EntityIx),
    /// A variant of an enum with type parameters: what each place of its data holds here.
    VariantData(Vec<Ty>),
}

/// Fields that every entity has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SystemField {
    Id,
    Version,
    CreatedAt,
    UpdatedAt,
    DeletedAt,
    ValidFrom,
    ValidTo,
}

impl Types {
    /// The register class of values of a type.
    pub fn class(&self, ty: Ty) -> Class {
        match ty {
            Ty::Int | Ty::Time | Ty::Duration => Class::I64,
            Ty::Float => Class::F64,
            Ty::Bool => Class::Bool,
            Ty::Text
            | Ty::Range
            | Ty::Error
            | Ty::Response
            | Ty::List(_)
            | Ty::Map(_)
            | Ty::Record(_)
            | Ty::Tuple(_)
            | Ty::Entity(_)
            | Ty::Query(_)
            | Ty::Enum(_)
            | Ty::Func(_) => Class::Ref,
            Ty::Union(u) => match self.unions[u.index()].as_slice() {
                // An optional of one reference type stays a reference; none is the static object.
                [one, Ty::None] if self.class(*one) == Class::Ref => Class::Ref,
                _ => Class::Any,
            },
            Ty::None | Ty::Never | Ty::Any => Class::Any,
        }
    }
}
