//! The token of a page: proves that a page was made by this server, for this address of this build, with these handlers. Here
//! because handlers are named by number: those of an older page could mean others. Must stay true: compared in constant time; the key
//! never leaves the process but into its file (`flinvm`).

use flin_runtime::vm::bytecode::module::Module;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

/// What tokens are made with.
pub type TokenKey = [u8; 32];

/// Bytes of a proof.
const PROOF_BYTES: usize = 16;

/// Makes and checks tokens.
pub(crate) struct Tokens {
    key: TokenKey,
    // What each page can be asked for.
    handlers: Vec<[u8; 32]>,
}

/// What a token says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It was made by this build for this page.
    Good,
    /// It was made by another build.
    Stale,
    /// It was not made here.
    Bad,
}

impl Tokens {
    pub(crate) fn new(key: TokenKey, module: &Module) -> Tokens {
        let of_page = |page: &flin_runtime::vm::bytecode::module::Page| {
            Sha256::digest(format!("{:?} {:?}", page.handlers, page.variables)).into()
        };
        Tokens {
            key,
            handlers: module.pages.iter().map(of_page).collect(),
        }
    }

    fn proof(&self, module: &Module, page: usize, build: &str) -> Hmac<Sha256> {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(&self.key).expect("a key of any length will do");
        // Of the pattern of its path: the parts of it are the visitor's to choose.
        for part in [
            b"flin page".as_slice(),
            build.as_bytes(),
            module.pages[page].path.as_bytes(),
        ] {
            mac.update(&(part.len() as u64).to_le_bytes());
            mac.update(part);
        }
        mac.update(&self.handlers[page]);
        mac
    }

    /// The token of a page.
    pub(crate) fn make(&self, module: &Module, page: usize, build: &str) -> String {
        let bytes = self.proof(module, page, build).finalize().into_bytes();
        let proof = bytes.iter().take(PROOF_BYTES);
        let proof = proof.fold(0, |proof: u128, byte| proof << 8 | u128::from(*byte));
        format!("{build}.{proof:032x}")
    }

    /// Looks at a token that came with a request for a page.
    pub(crate) fn check(&self, module: &Module, page: usize, build: &str, token: &str) -> Verdict {
        let Some((made_by, proof)) = token.rsplit_once('.') else {
            return Verdict::Bad;
        };
        if made_by != build {
            return Verdict::Stale;
        }
        let digits = proof.len() == 2 * PROOF_BYTES;
        match u128::from_str_radix(proof, 16) {
            Ok(proof) if digits => {
                let known = self.proof(module, page, build);
                match known.verify_truncated_left(&proof.to_be_bytes()) {
                    Ok(()) => Verdict::Good,
                    Err(_) => Verdict::Bad,
                }
            }
            Ok(_) | Err(_) => Verdict::Bad,
        }
    }
}

#[cfg(test)]
mod tests {
    use flin_runtime::vm::bytecode::module::{Handler, Page};

    use super::*;

    fn module(paths: &[&str]) -> Module {
        let page = |path: &&str| Page {
            path: (*path).to_owned(),
            ..Page::default()
        };
        Module {
            pages: paths.iter().map(page).collect(),
            ..Module::default()
        }
    }

    #[test]
    fn a_token_is_good_for_its_page_and_build_only() {
        let module_ = module(&["/", "/other"]);
        let tokens = Tokens::new([7; 32], &module_);
        let token = tokens.make(&module_, 0, "b1");
        let check = |page, build, token: &str| tokens.check(&module_, page, build, token);
        assert_eq!(check(0, "b1", &token), Verdict::Good);
        assert_eq!(check(1, "b1", &token), Verdict::Bad);
        assert_eq!(check(0, "b2", &token), Verdict::Stale);
        for at in 0..token.len() {
            let mut bytes = token.clone().into_bytes();
            bytes[at] ^= 1;
            let flipped = String::from_utf8(bytes).expect("still ASCII");
            assert_ne!(check(0, "b1", &flipped), Verdict::Good, "{flipped}");
        }
        for junk in [
            "",
            ".",
            "b1",
            "b1.",
            "b1.0",
            "b1.+000000000000000000000000000000f",
        ] {
            assert_ne!(check(0, "b1", junk), Verdict::Good, "{junk}");
        }
        let others = Tokens::new([8; 32], &module_);
        assert_eq!(others.check(&module_, 0, "b1", &token), Verdict::Bad);
        let mut changed = module(&["/", "/other"]);
        changed.pages[0].handlers.push(Handler::default());
        assert_eq!(
            Tokens::new([7; 32], &changed).check(&changed, 0, "b1", &token),
            Verdict::Bad
        );
    }
}
