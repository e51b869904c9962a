//! The one table of operations. Every operation of the machine is declared here and nowhere else: variant, mnemonic,
//! family, operands with place and direction, effects, meaning. All else (numbers, encoding, verifier, disassembler,
//! assembler, OPCODES.md, the obligations of both engines) is derived through `for_each_op!`.
//! Must stay true: numbers are dense and follow row order; a change of any row changes the fingerprint in `.fbc` files.
//!
//! A row reads `Variant "mnemonic" family (place: direction class | place: kind, ...) {effects} "meaning";`.
//! Places: `a b c` are bytes; `imm` is 32 bits wide in rows without `c` and 24 bits (signed) in rows with `c`.

/// Hands all rows to the macro `$callback`, one after the other.
#[macro_export]
macro_rules! for_each_op {
    ($callback:path) => { $callback! {
        // data
        MovI64 "mov.i64" data (a: out i64, b: in i64) {} "a = b";
        MovF64 "mov.f64" data (a: out f64, b: in f64) {} "a = b";
        MovBool "mov.bool" data (a: out bool, b: in bool) {} "a = b";
        MovRef "mov.ref" data (a: out ref, b: in ref) {} "a = b";
        MovAny "mov.any" data (a: out any, b: in any) {} "a = b";
        MovWide "mov.wide" data (a: bank, imm: regpair) {} "wide register (imm >> 16) of bank a (0 scalar, 1 reference) = wide register (imm & 0xffff); both of one class, or a ref into an any";
        ConstI64 "const.i64" data (a: out i64, imm: int) {} "a = imm";
        ConstI64Pool "const.i64.pool" data (a: out i64, imm: const_int) {} "a = constant imm";
        ConstF64 "const.f64" data (a: out f64, imm: const_float) {} "a = constant imm";
        ConstBool "const.bool" data (a: out bool, imm: int) {} "a = imm != 0";
        ConstText "const.text" data (a: out ref, imm: const_text) {} "a = text constant imm (a static object of the program)";
        NoneRef "none.ref" data (a: out ref) {} "a = the none object";
        NoneAny "none.any" data (a: out any) {} "a = none";
        BoxInt "box.int" data (a: out any, b: in i64) {alloc} "a = b as int";
        BoxFloat "box.float" data (a: out any, b: in f64) {alloc} "a = b as float";
        BoxBool "box.bool" data (a: out any, b: in bool) {} "a = b as bool";
        BoxTime "box.time" data (a: out any, b: in i64) {alloc} "a = b as time";
        BoxDuration "box.duration" data (a: out any, b: in i64) {alloc} "a = b as duration";
        BoxRef "box.ref" data (a: out any, b: in ref) {} "a = b (the none object becomes the none word)";
        UnboxInt "unbox.int" data (a: out i64, b: in any) {trap} "a = b, which must be an int; else TypeError";
        UnboxFloat "unbox.float" data (a: out f64, b: in any) {trap} "a = b, which must be a float or an int (widened); else TypeError";
        UnboxBool "unbox.bool" data (a: out bool, b: in any) {trap} "a = b, which must be a bool; else TypeError";
        UnboxTime "unbox.time" data (a: out i64, b: in any) {trap} "a = b, which must be a time; else TypeError";
        UnboxDuration "unbox.duration" data (a: out i64, b: in any) {trap} "a = b, which must be a duration; else TypeError";
        UnboxRef "unbox.ref" data (a: out ref, b: in any, imm: type_desc) {trap} "a = b, which must be a value of type imm (deep containers: kind and element class only); optional types let none through as the none object; else TypeError";
        CheckRef "check.ref" data (a: in ref, imm: type_desc) {trap} "TypeError unless a is of type imm (kind compare)";
        IntToFloat "int.to.float" data (a: out f64, b: in i64) {} "a = b widened";
        TruthyI64 "truthy.i64" data (a: out bool, b: in i64) {} "a = b != 0";
        TruthyF64 "truthy.f64" data (a: out bool, b: in f64) {} "a = b != 0.0 (NaN is true)";
        TruthyRef "truthy.ref" data (a: out bool, b: in ref) {} "a = b is truthy (not none, empty text, list, map)";
        TruthyAny "truthy.any" data (a: out bool, b: in any) {} "a = b is truthy";
        NotBool "not.bool" data (a: out bool, b: in bool) {} "a = !b";
        IsNoneRef "is.none.ref" data (a: out bool, b: in ref) {} "a = b is none";
        IsNoneAny "is.none.any" data (a: out bool, b: in any) {} "a = b is none";
        IsTypeRef "is.type.ref" data (a: out bool, b: in ref, imm: type_desc) {} "a = b is of type imm";
        IsTypeAny "is.type.any" data (a: out bool, b: in any, imm: type_desc) {} "a = b is of type imm";
        TextI64 "text.i64" data (a: out ref, b: in i64) {alloc} "a = b printed";
        TextF64 "text.f64" data (a: out ref, b: in f64) {alloc} "a = b printed as language.md says (integral keeps .0)";
        TextBool "text.bool" data (a: out ref, b: in bool) {} "a = true or false";
        TextTime "text.time" data (a: out ref, b: in i64) {alloc} "a = b as ISO 8601";
        TextDuration "text.duration" data (a: out ref, b: in i64) {alloc} "a = b printed";
        TextRef "text.ref" data (a: out ref, b: in ref) {alloc, trap} "a = to_text(b); a text is itself";
        TextAny "text.any" data (a: out ref, b: in any) {alloc, trap} "a = to_text(b)";
        Concat "concat" data (a: out ref, b: in ref, c: in ref) {alloc, trap} "a = text b followed by text c";
        ConcatN "concat.n" data (a: out ref, b: run ref, imm: count) {alloc, trap} "a = the imm texts in b, b+1, … joined";
        ListNew "list.new" data (a: out ref, b: class, imm: count) {alloc} "a = empty list of element class b with room for imm";
        ListPushI64 "list.push.i64" data (a: in ref, b: in i64) {alloc, trap} "append b to list a";
        ListPushF64 "list.push.f64" data (a: in ref, b: in f64) {alloc, trap} "append b to list a";
        ListPushBool "list.push.bool" data (a: in ref, b: in bool) {alloc, trap} "append b to list a";
        ListPushRef "list.push.ref" data (a: in ref, b: in ref) {alloc, trap} "append b to list a";
        ListPushAny "list.push.any" data (a: in ref, b: in any) {alloc, trap} "append b to list a";
        ListGetI64 "list.get.i64" data (a: out i64, b: in ref, c: in i64) {trap} "a = b[c] (negative c from the end); IndexOutOfBounds";
        ListGetF64 "list.get.f64" data (a: out f64, b: in ref, c: in i64) {trap} "a = b[c]";
        ListGetBool "list.get.bool" data (a: out bool, b: in ref, c: in i64) {trap} "a = b[c]";
        ListGetRef "list.get.ref" data (a: out ref, b: in ref, c: in i64) {trap} "a = b[c]";
        ListGetAny "list.get.any" data (a: out any, b: in ref, c: in i64) {trap} "a = b[c]";
        ListSetI64 "list.set.i64" data (a: in i64, b: in ref, c: in i64) {trap} "b[c] = a; IndexOutOfBounds";
        ListSetF64 "list.set.f64" data (a: in f64, b: in ref, c: in i64) {trap} "b[c] = a";
        ListSetBool "list.set.bool" data (a: in bool, b: in ref, c: in i64) {trap} "b[c] = a";
        ListSetRef "list.set.ref" data (a: in ref, b: in ref, c: in i64) {trap} "b[c] = a";
        ListSetAny "list.set.any" data (a: in any, b: in ref, c: in i64) {trap} "b[c] = a";
        ListLen "list.len" data (a: out i64, b: in ref) {trap} "a = number of elements of list b";
        RecordNew "record.new" data (a: out ref, imm: shape) {alloc} "a = record of shape imm, slots zero or none";
        RecordGetI64 "record.get.i64" data (a: out i64, b: in ref, c: slot, imm: shape) {trap} "a = slot c of b, whose shape is imm; else by name, checked";
        RecordGetF64 "record.get.f64" data (a: out f64, b: in ref, c: slot, imm: shape) {trap} "a = slot c of b";
        RecordGetBool "record.get.bool" data (a: out bool, b: in ref, c: slot, imm: shape) {trap} "a = slot c of b";
        RecordGetRef "record.get.ref" data (a: out ref, b: in ref, c: slot, imm: shape) {trap} "a = slot c of b";
        RecordGetAny "record.get.any" data (a: out any, b: in ref, c: slot, imm: shape) {trap} "a = slot c of b";
        RecordSetI64 "record.set.i64" data (a: in i64, b: in ref, c: slot, imm: shape) {trap} "slot c of b = a";
        RecordSetF64 "record.set.f64" data (a: in f64, b: in ref, c: slot, imm: shape) {trap} "slot c of b = a";
        RecordSetBool "record.set.bool" data (a: in bool, b: in ref, c: slot, imm: shape) {trap} "slot c of b = a";
        RecordSetRef "record.set.ref" data (a: in ref, b: in ref, c: slot, imm: shape) {trap} "slot c of b = a";
        RecordSetAny "record.set.any" data (a: in any, b: in ref, c: slot, imm: shape) {trap} "slot c of b = a";
        MapNew "map.new" data (a: out ref, imm: count) {alloc} "a = empty dictionary with room for imm";
        MapGet "map.get" data (a: out any, b: in ref, c: in any) {trap} "a = b[c] of a map (record or dictionary), none when absent";
        MapSet "map.set" data (a: in any, b: in ref, c: in any) {alloc, trap} "b[c] = a of a map; an unknown key turns a record into a dictionary in place";
        MapGetName "map.get.name" data (a: out any, b: in ref, imm: const_text) {trap} "a = b.name of a map, none when absent";
        MapSetName "map.set.name" data (a: in any, b: in ref, imm: const_text) {alloc, trap} "b.name = a of a map";
        FieldGetAny "field.get.any" data (a: out any, b: in any, imm: const_text) {trap, suspend} "a = b.name by what b is at run time (map, entity, error); references are followed";
        FieldSetAny "field.set.any" data (a: in any, b: in any, imm: const_text) {alloc, trap} "b.name = a by what b is at run time";
        IndexGetAny "index.get.any" data (a: out any, b: in any, c: in any) {alloc, trap} "a = b[c] by what b is (list, map, text, tuple)";
        IndexSetAny "index.set.any" data (a: in any, b: in any, c: in any) {alloc, trap} "b[c] = a by what b is";
        TextIndex "text.index" data (a: out ref, b: in ref, c: in i64) {alloc, trap} "a = c-th scalar value of text b as text; IndexOutOfBounds";
        TextLen "text.len" data (a: out i64, b: in ref) {trap} "a = number of scalar values of text b";
        CellNewI64 "cell.new.i64" data (a: out ref, b: in i64) {alloc} "a = new cell holding b";
        CellNewF64 "cell.new.f64" data (a: out ref, b: in f64) {alloc} "a = new cell holding b";
        CellNewBool "cell.new.bool" data (a: out ref, b: in bool) {alloc} "a = new cell holding b";
        CellNewRef "cell.new.ref" data (a: out ref, b: in ref) {alloc} "a = new cell holding b";
        CellNewAny "cell.new.any" data (a: out ref, b: in any) {alloc} "a = new cell holding b";
        CellGetI64 "cell.get.i64" data (a: out i64, b: in ref) {trap} "a = what cell b holds (class compared)";
        CellGetF64 "cell.get.f64" data (a: out f64, b: in ref) {trap} "a = what cell b holds";
        CellGetBool "cell.get.bool" data (a: out bool, b: in ref) {trap} "a = what cell b holds";
        CellGetRef "cell.get.ref" data (a: out ref, b: in ref) {trap} "a = what cell b holds";
        CellGetAny "cell.get.any" data (a: out any, b: in ref) {trap} "a = what cell b holds";
        CellSetI64 "cell.set.i64" data (a: in i64, b: in ref) {trap} "cell b = a";
        CellSetF64 "cell.set.f64" data (a: in f64, b: in ref) {trap} "cell b = a";
        CellSetBool "cell.set.bool" data (a: in bool, b: in ref) {trap} "cell b = a";
        CellSetRef "cell.set.ref" data (a: in ref, b: in ref) {trap} "cell b = a";
        CellSetAny "cell.set.any" data (a: in any, b: in ref) {trap} "cell b = a";
        GlobalGetI64 "global.get.i64" data (a: out i64, imm: global) {} "a = global imm";
        GlobalGetF64 "global.get.f64" data (a: out f64, imm: global) {} "a = global imm";
        GlobalGetBool "global.get.bool" data (a: out bool, imm: global) {} "a = global imm";
        GlobalGetRef "global.get.ref" data (a: out ref, imm: global) {} "a = global imm";
        GlobalGetAny "global.get.any" data (a: out any, imm: global) {} "a = global imm";
        GlobalSetI64 "global.set.i64" data (a: in i64, imm: global) {} "global imm = a";
        GlobalSetF64 "global.set.f64" data (a: in f64, imm: global) {} "global imm = a";
        GlobalSetBool "global.set.bool" data (a: in bool, imm: global) {} "global imm = a";
        GlobalSetRef "global.set.ref" data (a: in ref, imm: global) {} "global imm = a";
        GlobalSetAny "global.set.any" data (a: in any, imm: global) {} "global imm = a";
        // arith
        AddI64 "add.i64" arith (a: out i64, b: in i64, c: in i64) {trap} "a = b + c; IntegerOverflow";
        SubI64 "sub.i64" arith (a: out i64, b: in i64, c: in i64) {trap} "a = b - c; IntegerOverflow";
        MulI64 "mul.i64" arith (a: out i64, b: in i64, c: in i64) {trap} "a = b * c; IntegerOverflow";
        DivI64 "div.i64" arith (a: out i64, b: in i64, c: in i64) {trap} "a = b / c toward zero; DivisionByZero, IntegerOverflow";
        RemI64 "rem.i64" arith (a: out i64, b: in i64, c: in i64) {trap} "a = b % c with the sign of b; DivisionByZero; MIN % -1 is 0";
        PowI64 "pow.i64" arith (a: out i64, b: in i64, c: in i64) {trap} "a = b ** c; IntegerOverflow; TypeError when c < 0";
        AddImmI64 "add.imm.i64" arith (a: out i64, b: in i64, imm: int) {trap} "a = b + imm; IntegerOverflow";
        AddWrapI64 "add.wrap.i64" arith (a: out i64, b: in i64, c: in i64) {} "a = b + c (cannot overflow: the compiler has proved it; wraps in nonsensical code)";
        SubWrapI64 "sub.wrap.i64" arith (a: out i64, b: in i64, c: in i64) {} "a = b - c (cannot overflow, as add.wrap.i64)";
        MulWrapI64 "mul.wrap.i64" arith (a: out i64, b: in i64, c: in i64) {} "a = b * c (cannot overflow, as add.wrap.i64)";
        AddImmWrapI64 "add.imm.wrap.i64" arith (a: out i64, b: in i64, imm: int) {} "a = b + imm (cannot overflow, as add.wrap.i64)";
        NegI64 "neg.i64" arith (a: out i64, b: in i64) {trap} "a = -b; IntegerOverflow";
        AddF64 "add.f64" arith (a: out f64, b: in f64, c: in f64) {} "a = b + c";
        SubF64 "sub.f64" arith (a: out f64, b: in f64, c: in f64) {} "a = b - c";
        MulF64 "mul.f64" arith (a: out f64, b: in f64, c: in f64) {} "a = b * c";
        DivF64 "div.f64" arith (a: out f64, b: in f64, c: in f64) {} "a = b / c";
        RemF64 "rem.f64" arith (a: out f64, b: in f64, c: in f64) {} "a = b % c with the sign of b";
        PowF64 "pow.f64" arith (a: out f64, b: in f64, c: in f64) {} "a = b ** c";
        NegF64 "neg.f64" arith (a: out f64, b: in f64) {} "a = -b";
        AddAny "add.any" arith (a: out any, b: in any, c: in any) {alloc, trap} "a = b + c by what they are (numbers, text, lists, time and duration); TypeError";
        SubAny "sub.any" arith (a: out any, b: in any, c: in any) {alloc, trap} "a = b - c";
        MulAny "mul.any" arith (a: out any, b: in any, c: in any) {alloc, trap} "a = b * c";
        DivAny "div.any" arith (a: out any, b: in any, c: in any) {alloc, trap} "a = b / c";
        RemAny "rem.any" arith (a: out any, b: in any, c: in any) {alloc, trap} "a = b % c";
        PowAny "pow.any" arith (a: out any, b: in any, c: in any) {alloc, trap} "a = b ** c";
        NegAny "neg.any" arith (a: out any, b: in any) {alloc, trap} "a = -b";
        ListConcat "list.concat" arith (a: out ref, b: in ref, c: in ref) {alloc, trap} "a = new list of b's elements then c's (one element class)";
        // compare
        EqI64 "eq.i64" compare (a: out bool, b: in i64, c: in i64) {} "a = b == c";
        LtI64 "lt.i64" compare (a: out bool, b: in i64, c: in i64) {} "a = b < c";
        LeI64 "le.i64" compare (a: out bool, b: in i64, c: in i64) {} "a = b <= c";
        EqF64 "eq.f64" compare (a: out bool, b: in f64, c: in f64) {} "a = b == c";
        LtF64 "lt.f64" compare (a: out bool, b: in f64, c: in f64) {} "a = b < c";
        LeF64 "le.f64" compare (a: out bool, b: in f64, c: in f64) {} "a = b <= c";
        EqBool "eq.bool" compare (a: out bool, b: in bool, c: in bool) {} "a = b == c";
        EqRef "eq.ref" compare (a: out bool, b: in ref, c: in ref) {trap} "a = b == c by value (entities: same saved record or same object)";
        EqAny "eq.any" compare (a: out bool, b: in any, c: in any) {trap} "a = b == c; int and float compare exactly; unlike types are unequal";
        LtText "lt.text" compare (a: out bool, b: in ref, c: in ref) {trap} "a = text b < text c by scalar value";
        LeText "le.text" compare (a: out bool, b: in ref, c: in ref) {trap} "a = text b <= text c";
        LtAny "lt.any" compare (a: out bool, b: in any, c: in any) {trap} "a = b < c; unlike types are TypeError";
        LeAny "le.any" compare (a: out bool, b: in any, c: in any) {trap} "a = b <= c";
        // control
        Jump "jump" control (imm: jump) {end} "go to imm (a back edge costs fuel)";
        JumpIf "jump.if" control (a: in bool, imm: jump) {} "if a go to imm";
        JumpUnless "jump.unless" control (a: in bool, imm: jump) {} "if not a go to imm";
        JumpEqI64 "jump.eq.i64" control (a: in i64, b: in i64, c: none, imm: jump) {} "if a == b go to imm";
        JumpNeI64 "jump.ne.i64" control (a: in i64, b: in i64, c: none, imm: jump) {} "if a != b go to imm";
        JumpLtI64 "jump.lt.i64" control (a: in i64, b: in i64, c: none, imm: jump) {} "if a < b go to imm";
        JumpLeI64 "jump.le.i64" control (a: in i64, b: in i64, c: none, imm: jump) {} "if a <= b go to imm";
        JumpLtF64 "jump.lt.f64" control (a: in f64, b: in f64, c: none, imm: jump) {} "if a < b go to imm";
        JumpLeF64 "jump.le.f64" control (a: in f64, b: in f64, c: none, imm: jump) {} "if a <= b go to imm";
        JumpNltF64 "jump.nlt.f64" control (a: in f64, b: in f64, c: none, imm: jump) {} "unless a < b go to imm";
        JumpNleF64 "jump.nle.f64" control (a: in f64, b: in f64, c: none, imm: jump) {} "unless a <= b go to imm";
        ForNext "for.next" control (a: inout i64, b: in i64, c: none, imm: jump) {} "a = a + 1; if a < b go to imm (cannot overflow: entered only with a < b)";
        Throw "throw" control (a: in ref) {trap, end} "raise error object a";
        Fail "fail" control (a: in ref, b: in ref) {trap, end} "raise an error of kind text a with message text b";
        // call
        Call "call" call (a: swin, b: rwin, imm: func) {trap, suspend} "call function imm with its arguments in windows a and b; its result is left in the first register of its bank's window";
        ClosureNew "closure.new" call (a: out ref, imm: closure) {alloc} "a = closure of function imm, captures empty";
        CaptureSetI64 "capture.set.i64" call (a: in ref, b: in i64, imm: slot) {trap} "capture imm of closure a = b (checked against the function's captures)";
        CaptureSetF64 "capture.set.f64" call (a: in ref, b: in f64, imm: slot) {trap} "capture imm of closure a = b";
        CaptureSetBool "capture.set.bool" call (a: in ref, b: in bool, imm: slot) {trap} "capture imm of closure a = b";
        CaptureSetRef "capture.set.ref" call (a: in ref, b: in ref, imm: slot) {trap} "capture imm of closure a = b";
        CaptureSetAny "capture.set.any" call (a: in ref, b: in any, imm: slot) {trap} "capture imm of closure a = b";
        CaptureGetI64 "capture.get.i64" call (a: out i64, imm: capture) {} "a = capture imm of this closure (class by the function's captures)";
        CaptureGetF64 "capture.get.f64" call (a: out f64, imm: capture) {} "a = capture imm of this closure";
        CaptureGetBool "capture.get.bool" call (a: out bool, imm: capture) {} "a = capture imm of this closure";
        CaptureGetRef "capture.get.ref" call (a: out ref, imm: capture) {} "a = capture imm of this closure";
        CaptureGetAny "capture.get.any" call (a: out any, imm: capture) {} "a = capture imm of this closure";
        CallClosure "call.closure" call (a: swin, b: rwin, imm: sig) {trap, suspend} "call the closure in register b of the reference bank with signature imm; reference arguments follow it; an unlike signature of the same arity is adapted by boxing and checked unboxing, else TypeError";
        CallWith "call.with" call (a: swin, b: rwin, imm: closure) {trap, suspend} "call closure function imm with the closure in register b of the reference bank, whose captures it shares; reference arguments follow it";
        CallLib "call.lib" call (a: swin, b: rwin, imm: lib) {alloc, trap, suspend} "call library row imm; arguments and result as for call";
        RetI64 "ret.i64" call (a: in i64) {end} "return a";
        RetF64 "ret.f64" call (a: in f64) {end} "return a";
        RetBool "ret.bool" call (a: in bool) {end} "return a";
        RetRef "ret.ref" call (a: in ref) {end} "return a";
        RetAny "ret.any" call (a: in any) {end} "return a";
        Ret "ret" call () {end} "return without value";
        // entity
        EntityNew "entity.new" entity (a: out ref, imm: entity) {alloc} "a = new unsaved object of entity imm, all fields none";
        EntityGet "entity.get" entity (a: out any, b: in ref, c: none, imm: field) {trap} "a = field imm of entity object b (a reference field gives the link itself as an entity object not yet loaded)";
        EntityGetI64 "entity.get.i64" entity (a: out i64, b: in ref, c: none, imm: field) {alloc, trap, suspend} "a = field imm of b, an int, time or duration as the field is declared; TypeError naming the field when it is none or anything else";
        EntityGetF64 "entity.get.f64" entity (a: out f64, b: in ref, c: none, imm: field) {alloc, trap, suspend} "a = field imm of b, a float or an int (widened)";
        EntityGetBool "entity.get.bool" entity (a: out bool, b: in ref, c: none, imm: field) {alloc, trap, suspend} "a = field imm of b, a bool";
        EntityGetRef "entity.get.ref" entity (a: out ref, b: in ref, c: none, imm: declared_field) {alloc, trap, suspend} "a = field imm of b, an object of the declared type; TypeError naming the field when it is none or anything else";
        EntityGetOptional "entity.get.optional" entity (a: out ref, b: in ref, c: none, imm: declared_field) {alloc, trap, suspend} "as entity.get.ref, and none is the none object";
        EntityFollow "entity.follow" entity (a: out ref, b: in ref, c: none, imm: declared_field) {alloc, trap, suspend} "a = the record that reference field imm of b links to, or the none object";
        EntitySet "entity.set" entity (a: in any, b: in ref, c: none, imm: declared_field) {trap} "field imm of b = a (the declared type is enforced at save)";
        EntitySetI64 "entity.set.i64" entity (a: in i64, b: in ref, c: none, imm: declared_field) {alloc, trap, suspend} "field imm of b = a as time or duration if the field is declared so, else as int";
        EntitySetF64 "entity.set.f64" entity (a: in f64, b: in ref, c: none, imm: declared_field) {alloc, trap, suspend} "field imm of b = a as float";
        EntitySetBool "entity.set.bool" entity (a: in bool, b: in ref, c: none, imm: declared_field) {alloc, trap, suspend} "field imm of b = a";
        EntityValidate "entity.validate" entity (a: in ref) {alloc, trap, suspend} "run the built-in validators of a: before its `@check` functions, which may rely on them";
        EntitySave "entity.save" entity (a: in ref) {alloc, trap, suspend} "run the built-in validators, then insert or make a new version; fills id, version and times";
        EntityDelete "entity.delete" entity (a: in ref) {trap, suspend} "hide the record";
        EntityRestore "entity.restore" entity (a: in ref) {trap, suspend} "bring the record back";
        EntityDestroy "entity.destroy" entity (a: in ref) {trap, suspend} "remove the record and its history for good";
        EntityFind "entity.find" entity (a: out ref, b: in any, imm: entity) {alloc, trap, suspend} "a = the record of entity imm with id b, or the none object";
        EntityFindI64 "entity.find.i64" entity (a: out ref, b: in i64, imm: entity) {alloc, trap, suspend} "as entity.find with an int";
        EntityInverse "entity.inverse" entity (a: out ref, b: in ref, c: none, imm: count) {alloc, trap} "a = lazy query over the records that link to b, by its inverse list imm";
        EntityCount "entity.count" entity (a: out i64, imm: entity) {trap, suspend} "a = number of live records of entity imm";
        QueryNew "query.new" entity (a: out ref, imm: entity) {alloc} "a = lazy query over all live records of entity imm";
        QueryScan "query.scan" entity (a: out ref, b: in ref) {alloc, trap, suspend} "a = list (class ref) of the records that the base of query b yields, by id, steps not applied";
        // view
        ViewRaw "view.raw" view (imm: const_text) {trap} "write markup constant imm as it is";
        ViewTextI64 "view.text.i64" view (a: in i64) {trap} "write a";
        ViewTextF64 "view.text.f64" view (a: in f64) {trap} "write a";
        ViewTextBool "view.text.bool" view (a: in bool) {trap} "write a";
        ViewTextRef "view.text.ref" view (a: in ref) {trap} "write a as text, escaped; none writes nothing";
        ViewTextAny "view.text.any" view (a: in any) {trap} "write a as text, escaped; none writes nothing";
        ViewHtml "view.html" view (a: in ref) {trap} "write text a unescaped (raw(e))";
        ViewAttr "view.attr" view (a: in any, b: place, imm: const_text) {trap} "write attribute imm with value a escaped for place b (0 plain, 1 boolean, 2 URL, 3 style; 4 value and 5 URL inside of a style, without imm); none writes nothing";
        ViewBind "view.bind" view (a: in any, b: control, imm: global) {trap} "write the attributes of a control bound to global imm whose value is a (b: 0 text, 1 number, 2 checkbox, 3 radio, 4 select, 5 textarea, 6 day, 7 moment, 8 select of several)";
        ViewBindPart "view.bind.part" view (a: in any, b: control, c: in ref, imm: global) {trap} "as view.bind for a part of global imm: c is its address as text, names and positions with points between";
        ViewOption "view.option" view (a: in any, b: in any) {trap} "write ` selected`/` checked` if value a equals bound value b as text";
        ViewOn "view.on" view (a: run any, b: count, imm: handler) {trap} "write the attributes of an event handler: its number and the b captured values (any) from register a on, in wire form";
        ViewOnButton "view.on.button" view (a: run any, b: count, imm: handler) {trap} "as view.on for a click on a button, which without JavaScript posts a hidden form at the end of the page";
        ViewForm "view.form" view (a: run any, b: count, imm: handler) {trap} "write the hidden inputs that let the form work without JavaScript";
        ViewHead "view.head" view (imm: output) {trap} "imm 1: what follows goes to the document head; 0: back to the body";
        ViewBlock "view.block" view (imm: template) {trap} "a block of template imm of the page begins";
        ViewList "view.list" view () {trap} "a list of items begins";
        ViewItem "view.item" view (a: in any, imm: item) {trap} "the next item of the list, whose block follows: bit 1 of imm: its key is a as text; else type and id of entity a, the id of record a, or else its position; bit 0: write the key as a comment";
        ViewKey "view.key" view () {trap} "write the key of the item as attribute, unless it is its position";
        ViewEmpty "view.empty" view () {trap} "what a list without items shows instead: a block follows";
        ViewEnd "view.end" view () {trap} "the innermost block or list ends";
        ViewAbsent "view.absent" view () {trap} "a place for a block has none";
        ViewLeaf "view.leaf" view (imm: output) {trap} "imm 1: all that is written until 0 is the value of one place";
        // host
        Print "print" host (a: in ref) {suspend} "print text a and a newline to the program's output";
        Log "log" host (a: in ref, imm: log_level) {} "write text a to the log; imm 0 info, 1 warning, 2 error";
        Now "now" host (a: out i64) {} "a = the time of this request, ms since 1970 UTC (fixed per request)";
    } };
}

mod row;

pub use row::{Effects, Family, OpRow, Operand, OperandKind, Place};

use crate::class::{Bank, Class};

impl Op {
    /// How many operations there are.
    pub const COUNT: usize = Op::ALL.len();

    /// The operation with this number, if there is one.
    pub const fn from_u16(number: u16) -> Option<Op> {
        if (number as usize) < Op::COUNT {
            Some(Op::ALL[number as usize])
        } else {
            None
        }
    }

    /// Its number.
    pub const fn number(self) -> u16 {
        self as u16
    }

    /// Its row.
    #[inline]
    pub const fn row(self) -> &'static OpRow {
        &ROWS[self as usize]
    }

    /// Its name in disassembly.
    pub const fn mnemonic(self) -> &'static str {
        self.row().mnemonic
    }

    /// The operation with this mnemonic.
    pub fn from_mnemonic(mnemonic: &str) -> Option<Op> {
        ROWS.iter()
            .find(|row| row.mnemonic == mnemonic)
            .map(|row| row.op)
    }

    /// Whether the immediate is the narrow one (24 bits), because the row also has a `c`.
    pub const fn is_narrow(self) -> bool {
        let operands = self.row().operands;
        let mut i = 0;
        while i < operands.len() {
            if matches!(operands[i].place, Place::C) {
                return true;
            }
            i += 1;
        }
        false
    }

    /// Whether control never falls through to the next instruction.
    pub const fn ends_block(self) -> bool {
        self.row().effects.has(Effects::END)
    }

    /// The operand at a place, if the row has one there.
    pub fn operand(self, place: Place) -> Option<OperandKind> {
        self.row()
            .operands
            .iter()
            .find(|o| o.place == place)
            .map(|o| o.kind)
    }
}

macro_rules! define_ops {
    ($($name:ident $mnemonic:literal $family:ident
        ($($place:ident : $kind:ident $($class:ident)?),*) {$($effect:ident),*} $meaning:literal;)*) => {
        /// An operation. `Op as u16` is its number in the instruction word.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u16)]
        pub enum Op { $(#[doc = $meaning] $name,)* }

        impl Op {
            /// Every operation, in number order.
            pub const ALL: &'static [Op] = &[$(Op::$name),*];
        }

        /// The rows, in number order. A static stands in a program once; each use of a constant would bring a copy, whose
        /// many references are reckoned up whenever the program starts.
        static ROWS: [OpRow; Op::COUNT] = [$(OpRow {
            op: Op::$name,
            name: stringify!($name),
            mnemonic: $mnemonic,
            family: family!($family),
            operands: &[$(Operand { place: place!($place), kind: kind!($kind $($class)?) }),*],
            effects: Effects::NONE$(.with(effect!($effect)))*,
            meaning: $meaning,
        }),*];
    };
}

macro_rules! family {
    (data) => {
        Family::Data
    };
    (arith) => {
        Family::Arith
    };
    (compare) => {
        Family::Compare
    };
    (control) => {
        Family::Control
    };
    (call) => {
        Family::Call
    };
    (entity) => {
        Family::Entity
    };
    (view) => {
        Family::View
    };
    (host) => {
        Family::Host
    };
}

macro_rules! place {
    (a) => {
        Place::A
    };
    (b) => {
        Place::B
    };
    (c) => {
        Place::C
    };
    (imm) => {
        Place::Imm
    };
}

macro_rules! class {
    (i64) => {
        Class::I64
    };
    (f64) => {
        Class::F64
    };
    (bool) => {
        Class::Bool
    };
    (ref) => {
        Class::Ref
    };
    (any) => {
        Class::Any
    };
}

macro_rules! kind {
    (out $class:ident) => {
        OperandKind::Out(class!($class))
    };
    (in $class:ident) => {
        OperandKind::In(class!($class))
    };
    (inout $class:ident) => {
        OperandKind::InOut(class!($class))
    };
    (run $class:ident) => {
        OperandKind::Run(class!($class))
    };
    (swin) => {
        OperandKind::Window(Bank::Scalar)
    };
    (rwin) => {
        OperandKind::Window(Bank::Reference)
    };
    (bank) => {
        OperandKind::Bank
    };
    (class) => {
        OperandKind::Class
    };
    (regpair) => {
        OperandKind::RegPair
    };
    (int) => {
        OperandKind::Int
    };
    (count) => {
        OperandKind::Count
    };
    (slot) => {
        OperandKind::Slot
    };
    (place) => {
        OperandKind::ViewPlace
    };
    (control) => {
        OperandKind::ViewControl
    };
    (const_int) => {
        OperandKind::ConstInt
    };
    (const_float) => {
        OperandKind::ConstFloat
    };
    (const_text) => {
        OperandKind::ConstText
    };
    (type_desc) => {
        OperandKind::TypeDesc
    };
    (shape) => {
        OperandKind::Shape
    };
    (global) => {
        OperandKind::Global
    };
    (jump) => {
        OperandKind::Jump
    };
    (func) => {
        OperandKind::Func
    };
    (sig) => {
        OperandKind::Sig
    };
    (lib) => {
        OperandKind::Lib
    };
    (entity) => {
        OperandKind::Entity
    };
    (field) => {
        OperandKind::Field
    };
    (handler) => {
        OperandKind::Handler
    };
    (capture) => {
        OperandKind::Capture
    };
    (log_level) => {
        OperandKind::LogLevel
    };
    (output) => {
        OperandKind::Output
    };
    (template) => {
        OperandKind::Template
    };
    (item) => {
        OperandKind::Item
    };
    (closure) => {
        OperandKind::Closure
    };
    (declared_field) => {
        OperandKind::DeclaredField
    };
    (none) => {
        OperandKind::Unused
    };
}

macro_rules! effect {
    (trap) => {
        Effects::TRAP
    };
    (alloc) => {
        Effects::ALLOC
    };
    (suspend) => {
        Effects::SUSPEND
    };
    (end) => {
        Effects::END
    };
}

crate::for_each_op!(define_ops);
