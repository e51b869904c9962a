//! Which items of a list may stay where they are while the others move. Must stay true: as many stay as possible.

/// Marks the members of a longest increasing subsequence (patience sorting, in n log n steps). Numbers must differ.
pub(super) fn staying(numbers: &[usize]) -> Vec<bool> {
    // `ends[n]`: where the smallest number stands that ends an increasing sequence of length n + 1.
    let mut ends: Vec<usize> = Vec::new();
    let mut before: Vec<Option<usize>> = Vec::with_capacity(numbers.len());
    for (at, number) in numbers.iter().enumerate() {
        let length = ends.partition_point(|end| numbers[*end] < *number);
        before.push(length.checked_sub(1).map(|shorter| ends[shorter]));
        if length == ends.len() {
            ends.push(at);
        } else {
            ends[length] = at;
        }
    }
    let mut stays = vec![false; numbers.len()];
    let mut next = ends.last().copied();
    while let Some(at) = next {
        stays[at] = true;
        next = before[at];
    }
    stays
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_as_possible() {
        let count = |numbers: &[usize]| staying(numbers).into_iter().filter(|stays| *stays).count();
        assert_eq!(count(&[]), 0);
        assert_eq!(count(&[0, 1, 2, 3]), 4);
        assert_eq!(staying(&[3, 0, 1, 2]), [false, true, true, true]);
        assert_eq!(staying(&[1, 2, 3, 0]), [true, true, true, false]);
        // The swap of two costs two moves.
        assert_eq!(count(&[0, 8, 2, 3, 4, 5, 6, 7, 1, 9]), 8);
        assert_eq!(count(&[5, 4, 3, 2, 1]), 1);
    }
}
