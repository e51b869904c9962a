//! In which order records can be written so that every link finds its target: groups that need each other, targets first.
//!
//! Strongly connected components by Tarjan's algorithm ("Depth-first search and linear graph algorithms", 1972), with a
//! stack of its own: a chain of a million links must not end the process.

/// What is known of one node.
#[derive(Clone, Copy, Default)]
struct Node {
    /// Order of the first visit, from 1; 0: not visited.
    visited: usize,
    /// Lowest visit that is reached from here and still open.
    low: usize,
    open: bool,
}

/// All groups of `0..count`; a group comes after the groups that its members link to.
pub(super) fn groups(count: usize, targets: &dyn Fn(usize) -> Vec<usize>) -> Vec<Vec<usize>> {
    let mut nodes = vec![Node::default(); count];
    let (mut open, mut found, mut visits) = (Vec::new(), Vec::new(), 0);
    for start in 0..count {
        if nodes[start].visited > 0 {
            continue;
        }
        // Node and its targets that are still to be looked at.
        let mut path: Vec<(usize, Vec<usize>)> = Vec::new();
        let mut enter = Some(start);
        loop {
            if let Some(at) = enter.take() {
                visits += 1;
                nodes[at] = Node {
                    visited: visits,
                    low: visits,
                    open: true,
                };
                open.push(at);
                path.push((at, targets(at)));
            }
            let Some((at, left)) = path.last_mut() else {
                break;
            };
            let at = *at;
            match left.pop() {
                Some(target) if nodes[target].visited == 0 => enter = Some(target),
                Some(target) if nodes[target].open => {
                    nodes[at].low = nodes[at].low.min(nodes[target].visited);
                }
                Some(_done) => {}
                None => {
                    path.pop();
                    if let Some((above, _)) = path.last() {
                        nodes[*above].low = nodes[*above].low.min(nodes[at].low);
                    }
                    if nodes[at].low == nodes[at].visited {
                        let begin = open.iter().rposition(|open| *open == at).unwrap_or(0);
                        let group = open.split_off(begin);
                        group.iter().for_each(|member| nodes[*member].open = false);
                        found.push(group);
                    }
                }
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::groups;

    #[test]
    fn targets_come_first_and_circles_stay_together() {
        let links: [&[usize]; 6] = [&[1], &[2], &[0, 3], &[], &[3, 5], &[4, 0]];
        let mut found = groups(6, &|at| links[at].to_vec());
        found.iter_mut().for_each(|group| group.sort_unstable());
        assert_eq!(found, [vec![3], vec![0, 1, 2], vec![4, 5]]);
    }

    #[test]
    fn a_long_chain_needs_no_deep_stack() {
        let found = groups(100_000, &|at| {
            if at == 99_999 { vec![] } else { vec![at + 1] }
        });
        assert_eq!(found.len(), 100_000);
        assert_eq!(found[0], [99_999]);
    }
}
