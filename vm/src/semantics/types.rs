//! Types at run time: `is`, unboxing with a check, and the words for types in messages. Must stay true: unboxing a list
//! gives a list of the class that typed code expects (it is re-classed in place if all its elements fit) or one whose
//! elements are converted one by one when they are read, and nobody who holds that list too sees another value than
//! before, but for a list given to a record's field; `is` looks at every element, unboxing only at kinds and classes.

use flin_bytecode::{Class, TypeDesc, TypeId};

use crate::fault::{Blame, Fault, Res};
use crate::heap::{Kind, Obj, list_class, list_len};
use crate::machine::Machine;
use crate::semantics::Walk;
use crate::value::{View, Word};

/// A boxed int, or the error.
#[cold]
#[inline(never)]
pub(crate) fn unbox_int(word: Word) -> Res<i64> {
    match word.view() {
        View::Int(value) => Ok(value),
        found => Err(Fault::expected("int", found)),
    }
}

/// A boxed float or an int, or the error.
#[cold]
#[inline(never)]
pub(crate) fn unbox_float(word: Word) -> Res<f64> {
    match word.view() {
        View::Float(value) => Ok(value),
        View::Int(value) => Ok(value as f64),
        found => Err(Fault::expected("float", found)),
    }
}

/// `value is Type`
pub(crate) fn is_type(m: &mut Machine, word: Word, ty: TypeId) -> Res<bool> {
    Checker {
        m,
        strict: true,
        walk: Walk::new("check the type of this value"),
    }
    .fits(word, ty)
}

/// Whether a value may stand where a type is declared: as `is`, but an int may stand for a float.
pub(crate) fn accepts(m: &mut Machine, word: Word, ty: TypeId) -> Res<bool> {
    Checker {
        m,
        strict: false,
        walk: Walk::new("check the type of this value"),
    }
    .fits(word, ty)
}

/// The object in `word`, which must be of type `ty`.
pub(crate) fn unbox_ref(m: &mut Machine, word: Word, ty: TypeId) -> Res<Obj> {
    let fits = shallow(m, word, ty, Holders::Others)?;
    match word.as_obj().filter(|_| fits) {
        Some(obj) => Ok(obj),
        None => Err(misfit(m, word, ty)),
    }
}

/// As `unbox_ref` for a value just made from outside, which nobody else holds: its ints become floats where floats are
/// declared.
pub(crate) fn adopt_ref(m: &mut Machine, word: Word, ty: TypeId) -> Res<Obj> {
    match object_of(m, word, ty)? {
        Some(obj) => Ok(obj),
        None => Err(misfit(m, word, ty)),
    }
}

/// The error for a value of another type; of a list it tells the first element that does not fit.
#[cold]
#[inline(never)]
fn misfit(m: &mut Machine, word: Word, ty: TypeId) -> Fault {
    let mut message = format!("expected {}, found {}", wanted(m, ty), found(m, word));
    match odd_element(m, word, ty) {
        Ok(Some((index, found))) => message += &format!(" whose element {index} is {found}"),
        Ok(None) => {}
        Err(fault) => return fault,
    }
    Fault::misfit(message, Blame::Value)
}

/// Position and type of the first element of a list that its declared type does not accept.
fn odd_element(m: &mut Machine, word: Word, ty: TypeId) -> Res<Option<(usize, String)>> {
    let program = m.program.clone();
    let types = &program.module().types;
    let of = match types[ty.index()] {
        TypeDesc::Optional(inner) => inner,
        _ => ty,
    };
    let (TypeDesc::List(element, _), View::List(list)) = (&types[of.index()], word.view()) else {
        return Ok(None);
    };
    for index in 0..list_len(list) {
        let word = m.heap.list_word(list, index)?;
        if !accepts(m, word, *element)? {
            return Ok(Some((index, found(m, word))));
        }
    }
    Ok(None)
}

/// A type as what is expected: containers of anything by the name that `type_of` gives. (Library functions look into objects
/// themselves; what comes to them as no object at all was to be a list.)
fn wanted(m: &Machine, ty: TypeId) -> String {
    let types = &m.program.module().types;
    let is_any = |ty: TypeId| types[ty.index()] == TypeDesc::Any;
    match types[ty.index()] {
        TypeDesc::Any => "list".to_owned(),
        TypeDesc::List(element, _) if is_any(element) => "list".to_owned(),
        TypeDesc::Map(value) if is_any(value) => "map".to_owned(),
        _ => describe(m, ty),
    }
}

/// Who else may hold a value that is about to be checked.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Holders {
    Nobody,
    Others,
}

/// The object in `word` if it is of type `ty` (deep containers: kind and element class only). The value belongs to a record
/// or was just made: its ints become floats where floats are declared, so that what is stored can always be read.
pub(crate) fn object_of(m: &mut Machine, word: Word, ty: TypeId) -> Res<Option<Obj>> {
    let fits = shallow(m, word, ty, Holders::Nobody)?;
    Ok(word.as_obj().filter(|_| fits))
}

/// Kind and element class; containers of another class are converted if all elements fit.
fn shallow(m: &mut Machine, word: Word, ty: TypeId, holders: Holders) -> Res<bool> {
    let program = m.program.clone();
    match (&program.module().types[ty.index()], word.view()) {
        (TypeDesc::Optional(inner), view) => {
            Ok(matches!(view, View::None) || shallow(m, word, *inner, holders)?)
        }
        (TypeDesc::List(element, class), View::List(list)) => {
            // A list of ints may be one of ints to somebody else, so it stays what it is: reading it as floats widens.
            if list_class(list) == *class || (list_class(list), *class) == (Class::I64, Class::F64)
            {
                return Ok(true);
            }
            if !elements_accepted(m, list, *element)? {
                return Ok(false);
            }
            // An int among floats would turn into one before the eyes of whoever else holds the list: it stays, too, and
            // is widened when it is read.
            if *class == Class::F64 && holders == Holders::Others && has_int(m, list)? {
                return Ok(true);
            }
            m.heap.list_try_class(list, *class)
        }
        (TypeDesc::Map(_), View::Map(_)) => Ok(true),
        (TypeDesc::Record(shape, _), View::Map(map)) if map.is_meta(Kind::Record, shape.0) => {
            Ok(true)
        }
        (TypeDesc::Tuple(parts), View::Tuple(tuple)) => Ok(tuple.tuple_len() == parts.len()),
        (TypeDesc::Union(members), _) => {
            for member in members {
                if shallow(m, word, *member, holders)? {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        _ => accepts(m, word, ty),
    }
}

fn has_int(m: &mut Machine, list: Obj) -> Res<bool> {
    for index in 0..list_len(list) {
        if matches!(m.heap.list_word(list, index)?.view(), View::Int(_)) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn elements_accepted(m: &mut Machine, list: Obj, element: TypeId) -> Res<bool> {
    for index in 0..list_len(list) {
        let word = m.heap.list_word(list, index)?;
        if !accepts(m, word, element)? {
            return Ok(false);
        }
    }
    Ok(true)
}

struct Checker<'a> {
    m: &'a mut Machine,
    /// Whether an int is no float.
    strict: bool,
    walk: Walk,
}

impl Checker<'_> {
    fn fits(&mut self, word: Word, ty: TypeId) -> Res<bool> {
        self.walk.enter()?;
        let program = self.m.program.clone();
        let fits = self.fits_desc(word, &program.module().types[ty.index()])?;
        self.walk.leave();
        Ok(fits)
    }

    fn fits_desc(&mut self, word: Word, desc: &TypeDesc) -> Res<bool> {
        Ok(match (desc, word.view()) {
            (TypeDesc::Any, _)
            | (TypeDesc::None, View::None)
            | (TypeDesc::Int, View::Int(_))
            | (TypeDesc::Float, View::Float(_))
            | (TypeDesc::Bool, View::Bool(_))
            | (TypeDesc::Text, View::Text(_))
            | (TypeDesc::Time, View::Time(_))
            | (TypeDesc::Duration, View::Duration(_))
            | (TypeDesc::Error, View::Error(_))
            | (TypeDesc::Function, View::Closure(_))
            | (TypeDesc::Range, View::Range(_))
            | (TypeDesc::Response, View::Response(_)) => true,
            (TypeDesc::Float, View::Int(_)) => !self.strict,
            (TypeDesc::Entity(entity), View::Entity(obj)) => obj.meta() == entity.0,
            (TypeDesc::Query(entity), View::Query(obj)) => obj.meta() == entity.0,
            (TypeDesc::Enum(index), View::Enum(obj)) => obj.enum_parts().0 == *index,
            (TypeDesc::Optional(_), View::None) => true,
            (TypeDesc::Optional(inner), _) => self.fits(word, *inner)?,
            (TypeDesc::Union(members), _) => {
                for member in members {
                    if self.fits(word, *member)? {
                        return Ok(true);
                    }
                }
                false
            }
            (TypeDesc::List(element, _), View::List(list)) => self.list_fits(list, *element)?,
            (TypeDesc::Map(value), View::Map(map)) => {
                if self.m.program.module().types[value.index()] == TypeDesc::Any {
                    return Ok(true);
                }
                for (_, word) in self.m.heap.map_entries(map)? {
                    if !self.fits(word, *value)? {
                        return Ok(false);
                    }
                }
                true
            }
            (TypeDesc::Record(shape, types), View::Map(map)) => {
                if !map.is_meta(Kind::Record, shape.0) {
                    return self.map_fits(map, shape.0, types);
                }
                true
            }
            (TypeDesc::Tuple(parts), View::Tuple(tuple)) => {
                if parts.len() != tuple.tuple_len() {
                    return Ok(false);
                }
                for (index, part) in parts.iter().enumerate() {
                    let word = tuple.tuple_get(index).unwrap_or_else(Word::none);
                    if !self.fits(word, *part)? {
                        return Ok(false);
                    }
                }
                true
            }
            _ => false,
        })
    }

    fn list_fits(&mut self, list: Obj, element: TypeId) -> Res<bool> {
        let class_says_all = match self.m.program.module().types[element.index()] {
            TypeDesc::Int => list_class(list) == Class::I64,
            TypeDesc::Float => list_class(list) == Class::F64,
            TypeDesc::Bool => list_class(list) == Class::Bool,
            TypeDesc::Any => true,
            _ => false,
        };
        if class_says_all {
            return Ok(true);
        }
        for index in 0..list_len(list) {
            let word = self.m.heap.list_word(list, index)?;
            if !self.fits(word, element)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Whether a map has all fields of a shape, each of its type (absent counts as none).
    fn map_fits(&mut self, map: Obj, shape: u32, types: &[TypeId]) -> Res<bool> {
        let layouts = self.m.heap.layouts().clone();
        for (name, ty) in layouts.shape(shape).names.iter().zip(types) {
            let word = self
                .m
                .heap
                .map_get(map, Word::object(*name))?
                .unwrap_or_else(Word::none);
            if !self.fits(word, *ty)? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// The type in the words of the language.
pub(crate) fn describe(m: &Machine, ty: TypeId) -> String {
    describe_nested(m, ty, 4)
}

fn describe_nested(m: &Machine, ty: TypeId, levels: u32) -> String {
    let module = m.program.module();
    if levels == 0 {
        return "…".to_owned();
    }
    let nested = |ty: TypeId| describe_nested(m, ty, levels - 1);
    let joined = |types: &[TypeId], between: &str| {
        types
            .iter()
            .map(|ty| nested(*ty))
            .collect::<Vec<_>>()
            .join(between)
    };
    match &module.types[ty.index()] {
        TypeDesc::Any => "any".to_owned(),
        TypeDesc::None => "none".to_owned(),
        TypeDesc::Int => "int".to_owned(),
        TypeDesc::Float => "float".to_owned(),
        TypeDesc::Bool => "bool".to_owned(),
        TypeDesc::Text => "text".to_owned(),
        TypeDesc::Time => "time".to_owned(),
        TypeDesc::Duration => "duration".to_owned(),
        TypeDesc::List(element, _) => format!("[{}]", nested(*element)),
        TypeDesc::Map(value) => format!("[text:{}]", nested(*value)),
        TypeDesc::Record(shape, types) => {
            let layout = m.heap.layouts().shape(shape.0);
            let fields = layout.names.iter().zip(types);
            let fields: Vec<String> = fields
                .map(|(name, ty)| format!("{}: {}", name.text().unwrap_or_default(), nested(*ty)))
                .collect();
            format!("{{ {} }}", fields.join(", "))
        }
        TypeDesc::Tuple(parts) => format!("({})", joined(parts, ", ")),
        TypeDesc::Entity(entity) => module.entities[entity.index()].name.clone(),
        TypeDesc::Enum(index) => module.enums[*index as usize].name.clone(),
        TypeDesc::Optional(inner) => format!("{}?", nested(*inner)),
        TypeDesc::Union(members) => joined(members, " | "),
        TypeDesc::Error => "error".to_owned(),
        TypeDesc::Function => "function".to_owned(),
        TypeDesc::Query(entity) => format!("query of {}", module.entities[entity.index()].name),
        TypeDesc::Range => "range".to_owned(),
        TypeDesc::Response => "response".to_owned(),
    }
}

/// What a value is, in words: the entity's name rather than `entity`.
pub(crate) fn found(m: &Machine, word: Word) -> String {
    match word.view() {
        View::Entity(entity) => m.program.module().entities[entity.meta() as usize]
            .name
            .clone(),
        View::Enum(value) => {
            let index = value.enum_parts().0 as usize;
            m.program
                .module()
                .enums
                .get(index)
                .map_or_else(|| "enum".to_owned(), |e| e.name.clone())
        }
        view => view.type_name().to_owned(),
    }
}
