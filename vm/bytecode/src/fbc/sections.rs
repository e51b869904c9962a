//! What stands in each section: one line per struct and enum of the module. Here because `module.rs` is plain data
//! without behaviour. Must stay true: every field is written, in declared order; tags of enums are never reused for
//! another meaning without a new `FORMAT_VERSION`.

use super::wire::{Reader, Wire, write_number};
use super::{FbcError, Section};
use crate::class::Class;
use crate::ids::{ConstId, EntityTypeId, FuncId, GlobalId, ShapeId, TypeId};
use crate::module::{
    Asset, Catch, Const, ConstValue, Entity, EntityField, EnumDef, Function, Global, Handler,
    Injected, Inlined, Inverse, Keep, Module, NamedArg, NamedCall, OnDelete, Page, PageVariable,
    Route, Rule, Shape, Signature, SourceFile, TestBlock, TypeDesc, VariableKind,
};
use crate::query::{
    AskedField, Queries, QueryArg, QueryColumn, QueryComparison, QueryMeaning, QueryTest,
};
use crate::template::{ListPlace, Owner, PlaceKind, Runs, Template, TemplatePlace};

macro_rules! wire_ids {
    ($($name:ident)*) => {$(
        impl Wire for $name {
            fn write(&self, out: &mut Vec<u8>) {
                self.0.write(out);
            }
            fn read(reader: &mut Reader<'_>) -> Result<Self, FbcError> {
                Ok($name(Wire::read(reader)?))
            }
        }
    )*};
}

macro_rules! wire_struct {
    ($($name:ident { $($field:ident),* })*) => {$(
        impl Wire for $name {
            fn write(&self, out: &mut Vec<u8>) {
                $(self.$field.write(out);)*
            }
            fn read(reader: &mut Reader<'_>) -> Result<Self, FbcError> {
                $(let $field = Wire::read(reader)?;)*
                Ok($name { $($field),* })
            }
        }
    )*};
}

macro_rules! wire_enum {
    ($($name:ident $what:literal { $($tag:literal $variant:ident $(($($part:ident),*))?),* $(,)? })*) => {$(
        impl Wire for $name {
            fn write(&self, out: &mut Vec<u8>) {
                match self {
                    $($name::$variant $(($($part),*))? => {
                        write_number($tag, out);
                        $($($part.write(out);)*)?
                    })*
                }
            }
            fn read(reader: &mut Reader<'_>) -> Result<Self, FbcError> {
                let offset = reader.offset();
                match u32::read(reader)? {
                    $($tag => {
                        $($(let $part = Wire::read(reader)?;)*)?
                        Ok($name::$variant $(($($part),*))?)
                    })*
                    tag => Err(reader.bad_tag(offset, $what, u64::from(tag))),
                }
            }
        }
    )*};
}

wire_ids!(ConstId EntityTypeId FuncId GlobalId ShapeId TypeId);

wire_struct! {
    Shape { fields }
    Entity { name, fields, inverses, was, keep, line }
    Keep { versions, days }
    Inverse { name, entity, field }
    EntityField { name, ty, optional, rules, default, checks, unique, index, hidden, on_delete, was }
    EnumDef { name, variants }
    Global { name, class, ty }
    Signature { params, result }
    Catch { start, end, target, reg }
    Inlined { func, outer, line, column }
    Places { lines, arguments, inlined, scopes }
    SourceFile { name, first_line }
    Page { path, params, view, variables, handlers, reads, writes, field_sources, shown, templates, asks, browser_view, script, source_map }
    Template { html, places, single }
    TemplatePlace { kind, owner }
    ListPlace { item, empty }
    PageVariable { global, kind, init }
    Handler { event, func, params, by_name, runs, assigns }
    NamedCall { name, func, args }
    Route { method, path, func, injected, variables, line }
    TestBlock { name, func, variables, line }
    Queries { pushed, arguments, fields }
    AskedField { entity, field, queried, ordered }
    QueryArg { func, entity, known, meaning }
}

wire_enum! {
    Class "class" { 0 I64, 1 F64, 2 Bool, 3 Ref, 4 Any }
    Const "constant" { 0 Int(v), 1 Float(v), 2 Text(v) }
    TypeDesc "type" {
        0 Any, 1 None, 2 Int, 3 Float, 4 Bool, 5 Text, 6 Time, 7 Duration, 8 List(element, class), 9 Map(value), 10 Record(shape, types),
        11 Tuple(types), 12 Entity(entity), 13 Enum(number), 14 Optional(ty), 15 Union(types), 16 Error, 17 Function, 18 Query(entity),
        19 Range, 20 Response,
    }
    OnDelete "on_delete rule" { 0 Restrict, 1 SetNone, 2 Cascade }
    Rule "validator" {
        0 Required, 1 Min(v), 2 Max(v), 3 MinLength(v), 4 MaxLength(v), 5 Positive, 6 Email, 7 Url, 8 Pattern(v), 9 OneOf(v), 10 Immutable,
    }
    PlaceKind "kind of place" { 0 Text, 1 Html, 2 Attribute(name), 3 Attributes, 4 Block(templates), 5 List(templates) }
    Owner "owner" { 0 Server, 1 Browser }
    Runs "place to run" { 0 Server, 1 Browser }
    VariableKind "kind of variable" { 0 State, 1 Derived }
    NamedArg "argument" { 0 Literal(v), 1 Value(v) }
    ConstValue "literal" { 0 None, 1 Bool(v), 2 Int(v), 3 Float(v), 4 Text(v) }
    QueryMeaning "argument of a query" { 0 Conditions(parts, whole), 1 Key(column) }
    QueryColumn "column" { 0 Id, 1 Version, 2 CreatedAt, 3 UpdatedAt, 4 DeletedAt, 5 Field(number) }
    QueryComparison "comparison" { 0 Eq, 1 Ne, 2 Lt, 3 Le, 4 Gt, 5 Ge }
    QueryTest "condition" {
        0 Compare(column, comparison, value), 1 In(column, value), 2 Prefix(column, value), 3 Contains(column, value), 4 Truth(column),
        5 Known(value), 6 All(count), 7 Any(count), 8 Not,
    }
    Injected "injected value" { 0 Params, 1 Query, 2 Body, 3 Headers, 4 Request, 5 Cookies }
}

impl Wire for Function {
    fn write(&self, out: &mut Vec<u8>) {
        self.name.write(out);
        self.signature.write(out);
        self.is_closure.write(out);
        self.captures.write(out);
        self.entries.write(out);
        self.scalar_regs.write(out);
        self.ref_regs.write(out);
        self.code.write(out);
        self.catches.write(out);
        self.from_prelude.write(out);
    }
    fn read(reader: &mut Reader<'_>) -> Result<Self, FbcError> {
        Ok(Function {
            name: Wire::read(reader)?,
            signature: Wire::read(reader)?,
            is_closure: Wire::read(reader)?,
            captures: Wire::read(reader)?,
            entries: Wire::read(reader)?,
            scalar_regs: Wire::read(reader)?,
            ref_regs: Wire::read(reader)?,
            code: Wire::read(reader)?,
            catches: Wire::read(reader)?,
            lines: Vec::new(),
            from_prelude: Wire::read(reader)?,
            arguments: Vec::new(),
            inlined: Vec::new(),
            scopes: Vec::new(),
        })
    }
}

impl Wire for Asset {
    fn write(&self, out: &mut Vec<u8>) {
        self.path.write(out);
        write_number(self.bytes.len() as u64, out);
        out.extend_from_slice(&self.bytes);
    }
    fn read(reader: &mut Reader<'_>) -> Result<Self, FbcError> {
        let path = Wire::read(reader)?;
        let length = u32::read(reader)? as usize;
        let bytes = reader.take(length)?.to_vec();
        Ok(Asset { path, bytes })
    }
}

/// What the section of lines holds for one function.
struct Places {
    lines: Vec<(u32, u32, u32)>,
    arguments: Vec<(u32, u16, u8)>,
    inlined: Vec<Inlined>,
    scopes: Vec<(u32, u32)>,
}

/// The bytes of one section.
pub(super) fn write_section(module: &Module, section: Section) -> Vec<u8> {
    let mut out = Vec::new();
    match section {
        Section::Header => unreachable!("the header is no section of the module"),
        Section::Program => {
            module.source_name.write(&mut out);
            module.files.write(&mut out);
            module.main.write(&mut out);
            module.const_init.write(&mut out);
        }
        Section::Constants => module.constants.write(&mut out),
        Section::Types => module.types.write(&mut out),
        Section::Shapes => module.shapes.write(&mut out),
        Section::Entities => module.entities.write(&mut out),
        Section::Enums => module.enums.write(&mut out),
        Section::Globals => module.globals.write(&mut out),
        Section::Signatures => module.signatures.write(&mut out),
        Section::Functions => module.functions.write(&mut out),
        Section::Lines => {
            write_number(module.functions.len() as u64, &mut out);
            for function in &module.functions {
                function.lines.write(&mut out);
                function.arguments.write(&mut out);
                function.inlined.write(&mut out);
                function.scopes.write(&mut out);
            }
        }
        Section::Pages => module.pages.write(&mut out),
        Section::Routes => module.routes.write(&mut out),
        Section::Tests => module.tests.write(&mut out),
        Section::Queries => module.queries.write(&mut out),
        Section::Assets => module.assets.write(&mut out),
    }
    out
}

/// Fills the part of the module that stands in one section.
pub(super) fn read_section(
    module: &mut Module,
    section: Section,
    reader: &mut Reader<'_>,
) -> Result<(), FbcError> {
    match section {
        Section::Header => unreachable!("the header is no section of the module"),
        Section::Program => {
            module.source_name = Wire::read(reader)?;
            module.files = Wire::read(reader)?;
            module.main = Wire::read(reader)?;
            module.const_init = Wire::read(reader)?;
        }
        Section::Constants => module.constants = Wire::read(reader)?,
        Section::Types => module.types = Wire::read(reader)?,
        Section::Shapes => module.shapes = Wire::read(reader)?,
        Section::Entities => module.entities = Wire::read(reader)?,
        Section::Enums => module.enums = Wire::read(reader)?,
        Section::Globals => module.globals = Wire::read(reader)?,
        Section::Signatures => module.signatures = Wire::read(reader)?,
        Section::Functions => module.functions = Wire::read(reader)?,
        Section::Lines => {
            let tables: Vec<Places> = Wire::read(reader)?;
            if tables.len() != module.functions.len() {
                return Err(FbcError::LineTables {
                    functions: module.functions.len(),
                    tables: tables.len(),
                });
            }
            for (function, places) in module.functions.iter_mut().zip(tables) {
                function.lines = places.lines;
                function.arguments = places.arguments;
                function.inlined = places.inlined;
                function.scopes = places.scopes;
            }
        }
        Section::Pages => module.pages = Wire::read(reader)?,
        Section::Routes => module.routes = Wire::read(reader)?,
        Section::Tests => module.tests = Wire::read(reader)?,
        Section::Queries => module.queries = Wire::read(reader)?,
        Section::Assets => module.assets = Wire::read(reader)?,
    }
    Ok(())
}
