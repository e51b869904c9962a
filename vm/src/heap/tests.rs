//! The heap by itself: what blocks are given out, charged and found again. Here because programs cannot see any of it.

use std::sync::Arc;

use flin_bytecode::{Class, ModuleBuilder};

use super::*;
use crate::value::Word;

fn heap(limit_bytes: usize) -> Heap {
    let module = ModuleBuilder::new("t.flin").module;
    Heap::new(Arc::new(Layouts::new(&module)), limit_bytes, false)
}

fn collect_keeping(heap: &mut Heap, kept: &[Obj]) {
    heap.collect(|marker| kept.iter().for_each(|obj| marker.object(*obj)));
}

#[test]
fn a_collection_keeps_what_is_reached_and_its_places_are_used_again() {
    let mut heap = heap(64 << 20);
    let mut kept = Vec::new();
    let mut addresses = Vec::new();
    for round in 0..3 {
        for number in 10_000..30_000_i64 {
            let text = heap.new_text(&format!("number {number}")).expect("room");
            if number % 3 == 0 && round == 0 {
                let tuple = heap
                    .new_tuple(&[Word::object(text), Word::TRUE])
                    .expect("room");
                kept.push((number, tuple));
                addresses.push(text.address());
            }
        }
        let before = heap.budget.used_bytes;
        let roots: Vec<Obj> = kept.iter().map(|(_, tuple)| *tuple).collect();
        collect_keeping(&mut heap, &roots);
        assert!(heap.budget.used_bytes < before);
        // A tuple of two has three words, these texts have three.
        assert_eq!(heap.budget.used_bytes, kept.len() * 2 * 24);
    }
    for (number, tuple) in kept {
        let text = tuple.tuple_get(0).and_then(Word::as_obj).expect("a text");
        assert_eq!(text.text(), Some(format!("number {number}").as_str()));
        assert!(addresses.contains(&text.address()));
    }
    // Three rounds in the place of one: nothing that was free was forgotten.
    assert!(heap.allocated_bytes() > 1_400_000);
    assert!(heap.blocks.chunk_bytes() <= 2 << 20);
}

#[test]
fn empty_spans_serve_other_sizes() {
    let mut heap = heap(64 << 20);
    for words in [3, 12, 30, 100, 200] {
        for _ in 0..(8 << 20) / (words * 8) {
            heap.new_tuple(&vec![Word::TRUE; words - 1]).expect("room");
        }
        collect_keeping(&mut heap, &[]);
        assert_eq!(heap.budget.used_bytes, 0);
    }
    assert!(heap.blocks.chunk_bytes() <= 11 << 20);
}

#[test]
fn long_and_deep_data_is_marked_with_a_short_stack() {
    let mut heap = heap(64 << 20);
    let list = heap.new_list(Class::Ref, 0).expect("room");
    for number in 0..100_000_i64 {
        let pair = [Word::inline_int(number).expect("small"), Word::none()];
        let pair = heap.new_tuple(&pair).expect("room");
        heap.list_push(list, Word::object(pair)).expect("room");
    }
    let mut chain = Word::none();
    for _ in 0..100_000 {
        chain = Word::object(heap.new_tuple(&[chain]).expect("room"));
    }
    heap.list_push(list, chain).expect("room");
    collect_keeping(&mut heap, &[list]);
    assert_eq!(list_len(list), 100_001);
    // 24 and 16 bytes each, and the list's own buffer.
    assert!(heap.budget.used_bytes >= 100_000 * (24 + 16 + 8));
    assert!(heap.budget.used_bytes < 100_000 * (24 + 16 + 16));
}

#[test]
fn big_buffers_grow_and_are_freed() {
    let mut heap = heap(64 << 20);
    let list = heap.new_list(Class::I64, 0).expect("room");
    for number in 0..1_000_000_u64 {
        heap.list_push_bits(list, number).expect("room");
    }
    assert!(list_ints(&list).is_some_and(|ints| ints.iter().copied().eq(0..1_000_000)));
    let used = heap.budget.used_bytes;
    assert!((8_000_000..13_000_000).contains(&used), "{used}");
    collect_keeping(&mut heap, &[]);
    assert_eq!(heap.budget.used_bytes, 0);
}

#[test]
fn elements_are_inserted_removed_and_copied_in_blocks() {
    let mut heap = heap(1 << 20);
    for class in [Class::I64, Class::Bool] {
        let list = heap.new_list(class, 0).expect("room");
        let mut model: Vec<u64> = Vec::new();
        for step in 0..200_u64 {
            let bits = (step * 7 + 3) % 2;
            let at = (step * 13) as usize % (model.len() + 1);
            let word = heap.word_of_slot(class, bits).expect("inline");
            heap.list_insert(list, at, word).expect("room");
            model.insert(at, bits);
            if step % 3 == 0 {
                let at = (step * 5) as usize % model.len();
                heap.list_remove(list, at).expect("it is there");
                model.remove(at);
            }
        }
        let bits = |list: Obj| -> Vec<u64> {
            (0..list_len(list))
                .map(|at| list::raw_slot(list, at))
                .collect()
        };
        assert_eq!(bits(list), model);
        let part = heap.list_slice(list, 10, 60).expect("room");
        assert_eq!(bits(part), model[10..60]);
        heap.list_extend(part, part).expect("room");
        assert_eq!(bits(part), [&model[10..60], &model[10..60]].concat());
        let reversed = heap.list_reversed(list).expect("room");
        model.reverse();
        assert_eq!(bits(reversed), model);
    }
}

#[test]
fn texts_as_keys_whatever_their_form() {
    let mut heap = heap(1 << 20);
    let map = heap.new_dict(0).expect("room");
    let start = heap.new_text("").expect("room");
    let mut text = start;
    for len in 0..200_i64 {
        let word = heap.int_word(len).expect("inline");
        heap.map_set(map, Word::object(text), word).expect("room");
        let more = heap.new_text("x").expect("room");
        text = heap.concat(text, &[more]).expect("room");
    }
    for len in 0..200_usize {
        let plain = heap.new_text(&"x".repeat(len)).expect("room");
        let found = heap.map_get(map, Word::object(plain)).expect("a key");
        assert_eq!(found.and_then(Word::as_inline_int), Some(len as i64));
    }
    assert_eq!(heap.map_len(map), 200);
}

/// A list of a saved record where the program put a value of another kind, with the same bits, was changed.
#[test]
fn values_of_two_kinds_are_not_one_fingerprint() {
    let mut heap = heap(1 << 20);
    let time = heap.time_word(5).expect("room");
    let duration = heap.duration_word(5).expect("room");
    let int = heap.int_word(5).expect("room");
    let mut prints = Vec::new();
    for word in [int, time, duration] {
        let tuple = Word::object(heap.new_tuple(&[word]).expect("room"));
        prints.push(holding::fingerprint(&heap.layouts, [word].into_iter()));
        prints.push(holding::fingerprint(&heap.layouts, [tuple].into_iter()));
    }
    let before = prints.len();
    prints.sort_unstable();
    prints.dedup();
    assert_eq!(prints.len(), before);
}
