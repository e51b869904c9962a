//! Lists in place: elements of the list's own class at positions from the start, appending where there is room. Must stay
//! true: everything else (other classes, positions from the end, growing, errors) is done by helper.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{Block, InstBuilder, Value, types};
use flin_bytecode::{Class, Instr};
use flin_vm::native::layout::{self, NativeKind, class_aux, header_bits};

use super::Lower;
use crate::regions::Region;
use crate::views::{View, ViewSet, Viewed, changes_lists, step};

impl Lower<'_, '_> {
    pub(super) fn list_get(&mut self, class: Class, i: Instr) {
        let index = self.scalar(i.c);
        let slow = self.slow_block();
        let place = self.element(i.b, class, index, slow);
        let flags = self.regions.flags(Region::Elements(class));
        let value = match class {
            Class::I64 | Class::Ref | Class::Any => {
                self.b
                    .ins()
                    .load(types::I64, flags, place, layout::LIST_DATA)
            }
            Class::F64 => self
                .b
                .ins()
                .load(types::F64, flags, place, layout::LIST_DATA),
            Class::Bool => self
                .b
                .ins()
                .load(types::I8, flags, place, layout::LIST_DATA),
        };
        self.set_register(class, i.a, value);
        self.or_by_helper(slow);
    }

    pub(super) fn list_set(&mut self, class: Class, i: Instr) {
        let index = self.scalar(i.c);
        let value = self.register(class, i.a);
        let slow = self.slow_block();
        let place = self.element(i.b, class, index, slow);
        let flags = self.regions.flags(Region::Elements(class));
        self.b.ins().store(flags, value, place, layout::LIST_DATA);
        self.or_by_helper(slow);
    }

    /// Address of an element less `LIST_DATA`, after class and position were compared.
    fn element(&mut self, reg: u8, class: Class, index: Value, slow: Block) -> Value {
        let kind = Viewed::List(class);
        if let Some(buffer) = self.inside(View { reg, kind }, index, slow) {
            return self.place(buffer, class, index);
        }
        let list = self.reference(reg);
        self.need_kind(list, NativeKind::List, class_aux(class), slow);
        let len = self.list_word(list, layout::LIST_LEN);
        let inside = self.b.ins().icmp(IntCC::UnsignedLessThan, index, len);
        self.need(inside, slow);
        let buffer = self.list_word(list, layout::LIST_BUFFER);
        self.place(buffer, class, index)
    }

    /// Where the elements of a list or text with a view stand, after a position was compared with its length.
    pub(super) fn inside(&mut self, view: View, index: Value, slow: Block) -> Option<Value> {
        let bit = self.unit.views.bit(view)?;
        let at = bit.trailing_zeros() as usize;
        if self.valid & bit == 0 {
            if self.strips.is_fast() {
                self.view(at, slow);
            } else {
                self.make_views(bit);
            }
        }
        self.valid |= bit;
        let (len, buffer) = self.view_vars[at];
        if !self.is_free() {
            let len = self.b.use_var(len);
            let inside = self.b.ins().icmp(IntCC::UnsignedLessThan, index, len);
            self.need(inside, slow);
        }
        Some(self.b.use_var(buffer))
    }

    fn list_word(&mut self, list: Value, offset: i32) -> Value {
        let flags = self.regions.flags(Region::List);
        self.b.ins().load(types::I64, flags, list, offset)
    }

    /// Makes views of what their registers hold: length 0 if it is nothing that can be viewed.
    pub(super) fn make_views(&mut self, set: ViewSet) {
        for at in (0..self.view_vars.len()).filter(|at| set >> at & 1 == 1) {
            let (len_var, buffer_var) = self.view_vars[at];
            let (other, done) = (self.cold_block(), self.new_block());
            self.view(at, other);
            self.b.ins().jump(done, &[]);
            self.go_on_in(other);
            let none = self.b.ins().iconst(types::I64, 0);
            self.b.def_var(len_var, none);
            self.b.def_var(buffer_var, none);
            self.park_view(at, none, Some(none));
            self.b.ins().jump(done, &[]);
            self.go_on_in(done);
        }
    }

    /// Makes a view, or goes to `otherwise`.
    fn view(&mut self, at: usize, otherwise: Block) {
        let View { reg, kind } = self.unit.views.all[at];
        let (len_var, buffer_var) = self.view_vars[at];
        let object = self.reference(reg);
        let (len, buffer) = match kind {
            Viewed::List(class) => {
                self.need_kind(object, NativeKind::List, class_aux(class), otherwise);
                let len = self.list_word(object, layout::LIST_LEN);
                (len, self.list_word(object, layout::LIST_BUFFER))
            }
            Viewed::Text => self.ascii_bytes(object, otherwise),
        };
        self.b.def_var(len_var, len);
        self.b.def_var(buffer_var, buffer);
        self.park_view(at, len, Some(buffer));
    }

    /// After the interpreter did this instruction: views that shall be valid behind it are made again.
    pub(super) fn remake_views(&mut self) {
        let (unit, instr) = (self.unit, self.unit.code[self.at as usize]);
        if changes_lists(instr.op) {
            let after = step(unit.outside.module, &unit.views.all, &instr, self.valid);
            self.make_views(after);
        }
    }

    fn place(&mut self, buffer: Value, class: Class, index: Value) -> Value {
        let bytes = match class {
            Class::Bool => index,
            Class::I64 | Class::F64 | Class::Ref | Class::Any => self.b.ins().ishl_imm_u(index, 3),
        };
        self.b.ins().iadd(buffer, bytes)
    }

    pub(super) fn list_push(&mut self, class: Class, i: Instr) {
        let list = self.reference(i.a);
        let value = self.register(class, i.b);
        let slow = self.slow_block();
        let header = self.need_kind(list, NativeKind::List, class_aux(class), slow);
        let capacity = self.b.ins().ushr_imm_u(header, 32);
        let flags = self.regions.flags(Region::List);
        let len = self.b.ins().load(types::I64, flags, list, layout::LIST_LEN);
        let has_room = self.b.ins().icmp(IntCC::UnsignedLessThan, len, capacity);
        self.need(has_room, slow);
        let buffer = self
            .b
            .ins()
            .load(types::I64, flags, list, layout::LIST_BUFFER);
        let place = self.place(buffer, class, len);
        let elements = self.regions.flags(Region::Elements(class));
        self.b
            .ins()
            .store(elements, value, place, layout::LIST_DATA);
        let longer = self.b.ins().iadd_imm_s(len, 1);
        self.b.ins().store(flags, longer, list, layout::LIST_LEN);
        self.lengthen_views(class, i.a, longer);
        self.or_by_helper(slow);
    }

    /// A list has become longer in place: whatever view is of the same list sees that.
    fn lengthen_views(&mut self, class: Class, reg: u8, longer: Value) {
        let unit = self.unit;
        let list = self.reference(reg);
        for (at, view) in unit.views.all.iter().enumerate() {
            let is_list = view.kind == Viewed::List(class);
            if self.valid >> at & 1 == 0 || !is_list || self.are_distinct(reg, view.reg) {
                continue;
            }
            let (len_var, _) = self.view_vars[at];
            if view.reg == reg {
                self.b.def_var(len_var, longer);
                self.park_view(at, longer, None);
                continue;
            }
            let other = self.reference(view.reg);
            let same = self.b.ins().icmp(IntCC::Equal, list, other);
            let len = self.b.use_var(len_var);
            let len = self.b.ins().select(same, longer, len);
            self.b.def_var(len_var, len);
            self.park_view(at, len, None);
        }
    }

    pub(super) fn list_len(&mut self, i: Instr) {
        let list = self.reference(i.b);
        let slow = self.slow_block();
        let header = self.header(list);
        let kind = self.b.ins().ireduce(types::I8, header);
        let wanted = header_bits(NativeKind::List, 0, 0) as i64;
        let fits = self.b.ins().icmp_imm_s(IntCC::Equal, kind, wanted);
        self.need(fits, slow);
        let flags = self.regions.flags(Region::List);
        let len = self.b.ins().load(types::I64, flags, list, layout::LIST_LEN);
        self.set_scalar(i.a, len);
        self.or_by_helper(slow);
    }

    /// An empty list without room. (With room it has a buffer, too.)
    pub(super) fn list_new(&mut self, i: Instr) {
        let class = Class::from_u8(i.b).expect("verified: a class");
        if i.imm != 0 {
            return self.by_helper();
        }
        let slow = self.slow_block();
        let header = header_bits(NativeKind::List, class_aux(class), 0);
        let size = layout::size_class(3).expect("a list is small");
        let list = self.allocate(header, size, slow);
        let flags = self.regions.flags(Region::List);
        let zero = self.b.ins().iconst(types::I64, 0);
        self.b.ins().store(flags, zero, list, layout::LIST_LEN);
        self.b.ins().store(flags, zero, list, layout::LIST_BUFFER);
        self.set_reference(i.a, list);
        self.or_by_helper(slow);
    }
}
