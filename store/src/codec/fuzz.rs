//! Decoders against arbitrary bytes: a seeded loop over mutated good encodings. They may refuse, they may not panic, and
//! what they accept of an unchanged encoding is what was encoded.

use flin_testkit::rng::Rng;

use super::catalog::{decode_catalog, encode_catalog};
use super::cursor::Cursor;
use super::frame::{FrameHeader, FrameKind, Layout};
use super::manifest::{Manifest, ManifestSegment};
use super::record::{
    FieldNo, Place, RecordHeader, RecordOp, Table, TypeNo, each_record, erase_record, put_record,
};
use super::segment::SegmentHeader;
use super::value::{put_value, read_value};
use crate::catalog::Catalog;
use crate::schema::{FieldDef, FieldType, Schema, TypeDef};
use crate::value::{EntityId, FieldValue, Lsn, RequestId, TypeIx};

fn number(ty: TypeIx) -> u32 {
    ty.0 + 1
}

fn position(number: u32) -> Option<TypeIx> {
    number.checked_sub(1).map(TypeIx)
}

/// A random value, not too deep.
fn value(rng: &mut Rng, depth: usize) -> FieldValue {
    let text = |rng: &mut Rng| "aä\u{1F600}z".repeat(rng.below(4));
    match rng.below(if depth == 0 { 9 } else { 12 }) {
        0 => FieldValue::None,
        1 => FieldValue::Bool(rng.one_in(2)),
        2 => FieldValue::Int(rng.bits() as i64),
        3 => FieldValue::Float(rng.below(1000) as f64 / 7.0),
        4 => FieldValue::text(text(rng)),
        5 => FieldValue::Time(rng.bits() as i64),
        6 => FieldValue::Duration(rng.bits() as i64),
        7 => FieldValue::Bytes(text(rng).into_bytes().into()),
        8 => FieldValue::Ref {
            ty: TypeIx(rng.below(3) as u32),
            id: EntityId(rng.bits()),
        },
        9 => FieldValue::List((0..rng.below(4)).map(|_| value(rng, depth - 1)).collect()),
        10 => FieldValue::Map(
            (0..rng.below(4))
                .map(|_| (text(rng).into(), value(rng, depth - 1)))
                .collect(),
        ),
        _ => FieldValue::Enum {
            name: text(rng).into(),
            variant: text(rng).into(),
            payload: (0..rng.below(3)).map(|_| value(rng, depth - 1)).collect(),
        },
    }
}

/// The bytes with a few changed, cut or doubled.
fn mutated(rng: &mut Rng, bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for _ in 0..1 + rng.below(4) {
        if bytes.is_empty() {
            break;
        }
        let at = rng.below(bytes.len());
        match rng.below(4) {
            0 => bytes[at] = rng.bits() as u8,
            1 => bytes[at] ^= 1 << rng.below(8),
            2 => bytes.truncate(at),
            _ => bytes.insert(at, 0xFF),
        }
    }
    bytes
}

#[test]
fn values_come_back_and_broken_ones_do_not_panic() {
    let mut rng = Rng::new(1);
    for _ in 0..3000 {
        let before = value(&mut rng, 4);
        let mut bytes = Vec::new();
        put_value(&mut bytes, &before, &number);
        let mut cursor = Cursor::new(&bytes);
        assert_eq!(read_value(&mut cursor, &position), Ok(before));
        assert_eq!(cursor.left(), 0, "an encoding says where it ends");
        let _refused = read_value(&mut Cursor::new(&mutated(&mut rng, &bytes)), &position).is_err();
    }
}

#[test]
fn records_come_back_and_broken_ones_do_not_panic() {
    let mut rng = Rng::new(2);
    for _ in 0..2000 {
        let fields: Vec<FieldValue> = (0..rng.below(6)).map(|_| value(&mut rng, 2)).collect();
        let stored: Vec<(FieldNo, &FieldValue)> = fields
            .iter()
            .enumerate()
            .map(|(at, one)| (FieldNo(at as u16), one))
            .collect();
        let header = RecordHeader {
            len: 0,
            ty: TypeNo(1),
            version: 3,
            id: EntityId(rng.bits()),
            lsn: Lsn(rng.bits()),
            previous: rng.one_in(2).then_some(Place {
                segment: 1,
                offset: 4160,
            }),
            created_at_ms: 1,
            updated_at_ms: 2,
            op: RecordOp::Update,
            deleted: rng.one_in(2),
            erased: false,
            schema: 1,
            field_count: 0,
            table: Table::default(),
        };
        let mut body = Vec::new();
        put_record(&mut body, &header, &stored, &number);
        put_record(&mut body, &header, &[], &number);
        let mut seen = Vec::new();
        let whole = each_record(&body, &mut |_, found, bytes| {
            assert!(RecordHeader::intact(bytes));
            assert_eq!(
                RecordHeader {
                    len: 0,
                    field_count: 0,
                    table: Table::default(),
                    ..found.clone()
                },
                header
            );
            let read = |at| {
                found
                    .field(bytes, FieldNo(at), &position)
                    .expect("an intact field")
            };
            seen.push((0..fields.len() as u16).map(read).collect::<Vec<_>>());
            Ok(())
        });
        assert_eq!(whole, Ok(()));
        assert_eq!(seen, [fields.clone(), vec![FieldValue::None; fields.len()]]);
        let mut erased = Vec::new();
        let _whole = each_record(&body, &mut |_, found, bytes| {
            let mut record = bytes.to_vec();
            erase_record(&mut record)?;
            let gone = RecordHeader::decode(&record)?;
            assert!(gone.erased && gone.field_count == 0 && RecordHeader::intact(&record));
            assert_eq!(
                (gone.len, gone.lsn, gone.id),
                (found.len, found.lsn, found.id)
            );
            erased.push(record.len() - record.iter().filter(|byte| **byte == 0).count());
            Ok(())
        });
        assert!(
            erased.len() == 2 && erased.iter().all(|left| *left <= 48),
            "{erased:?}"
        );
        let broken = mutated(&mut rng, &body);
        let _refused = each_record(&broken, &mut |_, found, bytes| {
            for at in 0..8 {
                let _unreadable = found.field(bytes, FieldNo(at), &position).is_err();
            }
            Ok(())
        })
        .is_err();
    }
}

#[test]
fn offsets_take_the_bytes_they_need() {
    let long = |bytes: usize| FieldValue::text("x".repeat(bytes));
    for (first, second) in [(0, 0), (200, 100), (253, 3), (300, 70_000), (70_000, 300)] {
        let fields = [
            long(first),
            FieldValue::Int(7),
            long(second),
            FieldValue::Bool(true),
        ];
        let stored: Vec<(FieldNo, &FieldValue)> = (fields.iter().enumerate())
            .map(|(at, one)| (FieldNo(at as u16 * 2), one))
            .collect();
        let header = RecordHeader {
            len: 0,
            ty: TypeNo(1),
            version: 1,
            id: EntityId(1),
            lsn: Lsn(1),
            previous: None,
            created_at_ms: 5,
            updated_at_ms: 5,
            op: RecordOp::Create,
            deleted: false,
            erased: false,
            schema: 1,
            field_count: 0,
            table: Table::default(),
        };
        let mut record = Vec::new();
        put_record(&mut record, &header, &stored, &number);
        assert!(RecordHeader::intact(&record));
        let found = RecordHeader::decode(&record).expect("a record");
        assert_eq!(found.len as usize, record.len());
        for (at, field) in fields.iter().enumerate() {
            let number = FieldNo(at as u16 * 2);
            assert_eq!(found.field(&record, number, &position).as_ref(), Ok(field));
            let between = FieldNo(at as u16 * 2 + 1);
            assert_eq!(
                found.field(&record, between, &position),
                Ok(FieldValue::None)
            );
        }
    }
}

fn one_type(fields: Vec<FieldDef>) -> Schema {
    let def = TypeDef {
        name: "T".into(),
        fields,
        ..TypeDef::default()
    };
    Schema {
        types: vec![def],
        ..Schema::default()
    }
}

#[test]
fn catalogs_headers_and_manifests_survive_mutation() {
    let mut rng = Rng::new(3);
    let fields = vec![
        FieldDef::new("a", FieldType::List(Box::new(FieldType::Ref("T".into())))).unique(),
        FieldDef::new("b", FieldType::Map(Box::new(FieldType::Enum("E".into())))).required(),
    ];
    let schema = one_type(fields);
    let (catalog, _) = Catalog::default().fit(&schema).expect("it fits");
    let catalog_bytes = encode_catalog(&catalog);
    assert_eq!(decode_catalog(&catalog_bytes), Ok(catalog));
    let frame = FrameHeader {
        layout: Layout::Compact,
        kind: FrameKind::Data,
        flags: 0,
        body_len: 64,
        lsn: Lsn(9),
        time_ms: 5,
        durable: Lsn(8),
        request_id: Some(RequestId([3; 16])),
        link: 4,
        body_crc: 5,
    };
    let frame_bytes = frame.encode(77, 4096);
    assert_eq!(FrameHeader::decode(&frame_bytes, 77, 4096), Some(frame));
    assert_eq!(
        FrameHeader::decode(&frame_bytes, 77, 4104),
        None,
        "the place is part of the check"
    );
    assert_eq!(
        FrameHeader::decode(&frame_bytes, 78, 4096),
        None,
        "the salt is part of the check"
    );
    let header = SegmentHeader {
        layout: Layout::Compact,
        features: 0,
        store_id: [1; 16],
        number: 2,
        epoch: 3,
        first_lsn: Lsn(4),
        salt: 5,
        created_at_ms: 6,
        capacity: 8192,
        previous_end: 4200,
        previous_link: 7,
        rewrites: 0,
        previous_time_ms: 8,
    };
    let header_bytes = header.encode();
    assert_eq!(SegmentHeader::decode(&header_bytes), Ok(header));
    let segments = vec![ManifestSegment {
        number: 1,
        first_lsn: Lsn(1),
        epoch: 1,
    }];
    let manifest = Manifest {
        store_id: [9; 16],
        durable: Lsn(12),
        segments,
    };
    let manifest_bytes = manifest.encode().into_bytes();
    assert_eq!(Manifest::decode(&manifest_bytes), Some(manifest));
    for _ in 0..3000 {
        let _refused = decode_catalog(&mutated(&mut rng, &catalog_bytes)).is_err();
        let changed = |mutant: &[u8], bytes: &[u8]| !mutant.starts_with(bytes);
        let mutant = mutated(&mut rng, &frame_bytes);
        assert!(
            !changed(&mutant, &frame_bytes) || FrameHeader::decode(&mutant, 77, 4096).is_none()
        );
        let mutant = mutated(&mut rng, &header_bytes);
        assert!(!changed(&mutant, &header_bytes) || SegmentHeader::decode(&mutant).is_err());
        let mutant = mutated(&mut rng, &manifest_bytes);
        assert!(mutant == manifest_bytes || Manifest::decode(&mutant).is_none());
    }
}
