//! Type descriptions and record shapes of the module. Here because code, globals, handlers and entities name them.
//! Must stay true: equal types share one description; a recursive type ends in `any` where it meets itself.

use flin_bytecode::library::LibType;
use flin_bytecode::module::Shape;
use flin_bytecode::{Class, EntityTypeId, FieldNo, ShapeId, TypeDesc, TypeId};

use super::Lowering;
use crate::hir::{EntityIx, TypeAnn};
use crate::types::{RecordTy, Ty};

impl Lowering<'_> {
    /// The description of a type, for the wire and for fields.
    pub(super) fn desc(&mut self, ty: Ty) -> TypeId {
        if let Some(known) = self.descs.get(&ty) {
            return *known;
        }
        let container = matches!(ty, Ty::List(_) | Ty::Map(_) | Ty::Record(_) | Ty::Tuple(_));
        if container && !self.describing.insert(ty) {
            return self.module.type_desc(TypeDesc::Any);
        }
        let desc = self.describe(ty);
        self.describing.remove(&ty);
        let id = self.module.type_desc(desc);
        if self.describing.is_empty() {
            self.descs.insert(ty, id);
        }
        id
    }

    fn describe(&mut self, ty: Ty) -> TypeDesc {
        match ty {
            Ty::Never | Ty::Any => TypeDesc::Any,
            Ty::Response => TypeDesc::Response,
            Ty::None => TypeDesc::None,
            Ty::Bool => TypeDesc::Bool,
            Ty::Int => TypeDesc::Int,
            Ty::Float => TypeDesc::Float,
            Ty::Text => TypeDesc::Text,
            Ty::Time => TypeDesc::Time,
            Ty::Duration => TypeDesc::Duration,
            Ty::Range => TypeDesc::Range,
            Ty::Error => TypeDesc::Error,
            Ty::List(list) => {
                let element = self.types.lists[list.index()];
                TypeDesc::List(self.desc(element), self.slot_class(element))
            }
            Ty::Map(map) => TypeDesc::Map(self.desc(self.types.maps[map.index()])),
            Ty::Record(record) if !self.has_shape(record) => {
                TypeDesc::Map(self.module.type_desc(TypeDesc::Any))
            }
            Ty::Record(record) => {
                let fields = self.types.records[record.index()].clone();
                let types = fields.iter().map(|(_, ty)| self.desc(*ty)).collect();
                TypeDesc::Record(self.shape(record), types)
            }
            Ty::Tuple(tuple) => {
                let members = self.types.tuples[tuple.index()].clone();
                TypeDesc::Tuple(members.into_iter().map(|ty| self.desc(ty)).collect())
            }
            Ty::Entity(entity) => TypeDesc::Entity(EntityTypeId(entity.0)),
            Ty::Query(entity) => TypeDesc::Query(EntityTypeId(entity.0)),
            Ty::Enum(e) => TypeDesc::Enum(e.0),
            Ty::Func(_) => TypeDesc::Function,
            Ty::Union(union) => {
                let members = self.types.unions[union.index()].clone();
                self.union_desc(
                    members.into_iter().map(|ty| (ty == Ty::None, ty)).collect(),
                    Lowering::desc,
                )
            }
        }
    }

    fn union_desc<T: Copy>(
        &mut self,
        members: Vec<(bool, T)>,
        make: fn(&mut Self, T) -> TypeId,
    ) -> TypeDesc {
        let optional = members.iter().any(|(none, _)| *none);
        let mut ids: Vec<TypeId> = members
            .into_iter()
            .filter(|(none, _)| !none)
            .map(|(_, m)| make(self, m))
            .collect();
        match (ids.len(), optional) {
            (0, _) => TypeDesc::None,
            (1, true) => TypeDesc::Optional(ids.remove(0)),
            (_, true) => {
                let rest = self.module.type_desc(TypeDesc::Union(ids));
                TypeDesc::Optional(rest)
            }
            (_, false) => TypeDesc::Union(ids),
        }
    }

    /// The description to check values against: as `desc`, but any map is fine where a record is expected, because
    /// typed accesses compare the shape themselves.
    pub(super) fn check_desc(&mut self, ty: Ty) -> TypeId {
        match ty {
            Ty::Record(_) | Ty::Map(_) => {
                let any = self.module.type_desc(TypeDesc::Any);
                self.module.type_desc(TypeDesc::Map(any))
            }
            Ty::Union(union) => {
                let members = self.types.unions[union.index()].clone();
                let desc = self.union_desc(
                    members.into_iter().map(|m| (m == Ty::None, m)).collect(),
                    Lowering::check_desc,
                );
                self.module.type_desc(desc)
            }
            other => self.desc(other),
        }
    }

    /// The description of an annotation.
    pub(super) fn ann_desc(&mut self, ann: &TypeAnn) -> TypeId {
        let desc = match ann {
            TypeAnn::Any | TypeAnn::Var(_) => TypeDesc::Any,
            TypeAnn::Response => TypeDesc::Response,
            TypeAnn::None => TypeDesc::None,
            TypeAnn::Int => TypeDesc::Int,
            TypeAnn::Float => TypeDesc::Float,
            TypeAnn::Bool => TypeDesc::Bool,
            TypeAnn::Text => TypeDesc::Text,
            TypeAnn::Time => TypeDesc::Time,
            TypeAnn::Duration => TypeDesc::Duration,
            TypeAnn::Range => TypeDesc::Range,
            TypeAnn::Error => TypeDesc::Error,
            TypeAnn::List(element) => {
                TypeDesc::List(self.ann_desc(element), self.ann_slot_class(element))
            }
            TypeAnn::Map(_, value) => TypeDesc::Map(self.ann_desc(value)),
            TypeAnn::Tuple(members) => {
                TypeDesc::Tuple(members.iter().map(|m| self.ann_desc(m)).collect())
            }
            TypeAnn::Optional(inner) => TypeDesc::Optional(self.ann_desc(inner)),
            TypeAnn::Union(members) => {
                let members = members.iter().map(|m| (*m == TypeAnn::None, m)).collect();
                self.union_desc(members, |cx, m| cx.ann_desc(m))
            }
            TypeAnn::Func(..) => TypeDesc::Function,
            TypeAnn::Entity(entity) => TypeDesc::Entity(EntityTypeId(entity.0)),
            TypeAnn::Enum(e, _) => TypeDesc::Enum(e.0),
        };
        self.module.type_desc(desc)
    }

    /// The class in which values of an annotated type are stored in a list.
    fn ann_slot_class(&self, ann: &TypeAnn) -> Class {
        match ann {
            TypeAnn::Int => Class::I64,
            TypeAnn::Float => Class::F64,
            TypeAnn::Bool => Class::Bool,
            TypeAnn::Any
            | TypeAnn::Var(_)
            | TypeAnn::None
            | TypeAnn::Time
            | TypeAnn::Duration
            | TypeAnn::Union(_) => Class::Any,
            TypeAnn::Optional(inner) => match self.ann_slot_class(inner) {
                Class::Ref => Class::Ref,
                Class::I64 | Class::F64 | Class::Bool | Class::Any => Class::Any,
            },
            TypeAnn::Text
            | TypeAnn::Range
            | TypeAnn::Error
            | TypeAnn::Response
            | TypeAnn::List(_)
            | TypeAnn::Map(..)
            | TypeAnn::Tuple(_)
            | TypeAnn::Func(..)
            | TypeAnn::Entity(_)
            | TypeAnn::Enum(..) => Class::Ref,
        }
    }

    fn slot_class(&self, ty: Ty) -> Class {
        match ty {
            Ty::Time | Ty::Duration => Class::Any,
            other => self.types.class(other),
        }
    }

    /// Whether records of this type have slots; with very many fields they are dictionaries.
    pub(super) fn has_shape(&self, record: RecordTy) -> bool {
        self.types.records[record.index()].len() <= flin_bytecode::verify::SLOTS_MAX
    }

    /// The shape of a record type.
    pub(super) fn shape(&mut self, record: RecordTy) -> ShapeId {
        let fields = self.types.records[record.index()]
            .clone()
            .into_iter()
            .map(|(name, ty)| (self.module.const_text(&name), self.slot_class(ty)))
            .collect();
        self.module.shape(Shape { fields })
    }

    /// A type in words, for messages at run time.
    pub(super) fn type_name(&self, ty: Ty) -> String {
        match ty {
            Ty::Never => "nothing".to_owned(),
            Ty::Any => "any".to_owned(),
            Ty::None => "none".to_owned(),
            Ty::Bool => "bool".to_owned(),
            Ty::Int => "int".to_owned(),
            Ty::Float => "float".to_owned(),
            Ty::Text => "text".to_owned(),
            Ty::Time => "time".to_owned(),
            Ty::Duration => "duration".to_owned(),
            Ty::Range => "range".to_owned(),
            Ty::Error => "error".to_owned(),
            Ty::Response => "response".to_owned(),
            Ty::List(_) => "list".to_owned(),
            Ty::Map(_) | Ty::Record(_) => "map".to_owned(),
            Ty::Tuple(_) => "tuple".to_owned(),
            Ty::Entity(entity) => self.program.entities[entity.index()].name.clone(),
            Ty::Query(entity) => format!("query of {}", self.program.entities[entity.index()].name),
            Ty::Enum(e) => self.program.enums[e.index()].name.clone(),
            Ty::Func(_) => "function".to_owned(),
            Ty::Union(union) => {
                let members: Vec<String> = self.types.unions[union.index()]
                    .iter()
                    .map(|member| self.type_name(*member))
                    .collect();
                members.join(" or ")
            }
        }
    }
}

impl Lowering<'_> {
    /// The element type of a list type.
    pub(super) fn types_list_element(&self, ty: Ty) -> Option<Ty> {
        match ty {
            Ty::List(list) => Some(self.types.lists[list.index()]),
            _ => None,
        }
    }

    /// Values that may have a member of this name: maps, errors, and records of the entities that have such a field.
    pub(super) fn keyed_desc(&mut self, name: &str) -> TypeId {
        let any = self.module.type_desc(TypeDesc::Any);
        let mut members = vec![
            self.module.type_desc(TypeDesc::Map(any)),
            self.module.type_desc(TypeDesc::Error),
        ];
        for (at, entity) in self.program.entities.iter().enumerate() {
            let has = FieldNo::automatic(name).is_some()
                || entity.fields.iter().any(|field| field.name == name)
                || entity.inverses.iter().any(|inverse| inverse.name == name);
            if has {
                members.push(
                    self.module
                        .type_desc(TypeDesc::Entity(EntityTypeId(at as u32))),
                );
            }
        }
        self.module.type_desc(TypeDesc::Union(members))
    }

    /// What an argument of class ref is checked against before a library row sees it.
    pub(super) fn lib_desc(&mut self, param: &LibType) -> TypeId {
        let desc = match param {
            LibType::Map(..) => TypeDesc::Map(self.module.type_desc(TypeDesc::Any)),
            LibType::Func(..) => TypeDesc::Function,
            LibType::Optional(inner) => TypeDesc::Optional(self.lib_desc(inner)),
            LibType::Entity => return self.any_entity_desc(),
            LibType::Text => TypeDesc::Text,
            LibType::Range => TypeDesc::Range,
            LibType::Error => TypeDesc::Error,
            LibType::Any
            | LibType::None
            | LibType::Never
            | LibType::Bool
            | LibType::Int
            | LibType::Float
            | LibType::Time
            | LibType::Duration
            | LibType::Response
            | LibType::Query
            | LibType::Opaque
            | LibType::Var(_)
            | LibType::List(_)
            | LibType::Tuple(_)
            | LibType::Union(_) => TypeDesc::Any,
        };
        self.module.type_desc(desc)
    }

    /// An object of any entity of the program.
    pub(super) fn any_entity_desc(&mut self) -> TypeId {
        let count = self.program.entities.len() as u32;
        let members = (0..count)
            .map(|at| self.module.type_desc(TypeDesc::Entity(EntityTypeId(at))))
            .collect();
        self.module.type_desc(TypeDesc::Union(members))
    }

    /// An object of this entity, or of any, or none.
    pub(super) fn entity_or_none_desc(&mut self, entity: Option<EntityIx>) -> TypeId {
        let entity = match entity {
            Some(entity) => self.desc(Ty::Entity(entity)),
            None => self.any_entity_desc(),
        };
        self.module.type_desc(TypeDesc::Optional(entity))
    }

    /// A query over any entity of the program.
    pub(super) fn any_query_desc(&mut self) -> TypeId {
        let count = self.program.entities.len() as u32;
        let members = (0..count)
            .map(|at| self.module.type_desc(TypeDesc::Query(EntityTypeId(at))))
            .collect();
        self.module.type_desc(TypeDesc::Union(members))
    }
}
