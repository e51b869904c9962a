//! Permutations: the most flips that bring 0 to the front, over all orders of n numbers.
const SIZE: usize = 6;

fn fannkuch(n: usize) -> (i64, i64) {
    let mut perm = vec![0; n];
    let mut count = vec![0; n];
    let mut order: Vec<usize> = (0..n).collect();
    let (mut most, mut checksum, mut even, mut r) = (0, 0, true, n);
    loop {
        while r != 1 {
            count[r - 1] = r;
            r -= 1;
        }
        for i in 0..n {
            perm[i] = order[i];
        }
        let mut flips = 0;
        let mut first = perm[0];
        while first != 0 {
            let (mut low, mut high) = (1, first - 1);
            while low < high {
                perm.swap(low, high);
                low += 1;
                high -= 1;
            }
            let next = perm[first];
            perm[first] = first;
            first = next;
            flips += 1;
        }
        if flips > most {
            most = flips;
        }
        checksum += if even { flips } else { -flips };
        even = !even;
        // The next order: rotate ever longer beginnings until one has a turn left.
        loop {
            if r == n {
                return (checksum, most);
            }
            let front = order[0];
            for i in 0..r {
                order[i] = order[i + 1];
            }
            order[r] = front;
            count[r] -= 1;
            if count[r] > 0 {
                break;
            }
            r += 1;
        }
    }
}

fn main() {
    let (checksum, most) = fannkuch(std::hint::black_box(SIZE));
    println!("{checksum} {most}");
}
