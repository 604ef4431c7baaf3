//! Cryptography that one can look through. Whatever is changed on the way is accepted, and parsed.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use dimpl::CryptoError;
use dimpl::crypto::{
    Aad, ActiveKeyExchange, Buf, Cipher, CryptoProvider, Dtls12CipherSuite, Dtls13CipherSuite, HashAlgorithm,
    HmacProvider, NamedGroup, Nonce, SignatureAlgorithm, SignatureVerifier, SupportedDtls12CipherSuite,
    SupportedDtls13CipherSuite, SupportedKxGroup, TmpBuf,
};

const TAG: usize = 16;

/// A configuration is only made with algorithms that are right; they become glass once one is made.
static IS_GLASS: AtomicBool = AtomicBool::new(false);

fn is_glass() -> bool {
    IS_GLASS.load(Ordering::Relaxed)
}

fn real() -> &'static CryptoProvider {
    static REAL: OnceLock<CryptoProvider> = OnceLock::new();
    REAL.get_or_init(dimpl::crypto::aws_lc_rs::default_provider)
}

/// From now on every DTLS connection of this process is transparent. Once is enough, and twice does no harm.
pub(crate) fn install() {
    static DONE: OnceLock<()> = OnceLock::new();
    DONE.get_or_init(|| {
        CryptoProvider::install_default(CryptoProvider {
            kx_groups: &[&Group],
            signature_verification: &Verifier,
            hmac_provider: &Hmac,
            cipher_suites: &[&Suite12],
            dtls13_cipher_suites: &[&Suite13],
            ..real().clone()
        });
        // The first connection makes the configuration that all of them have.
        crate::dtls::run(&[], false);
        IS_GLASS.store(true, Ordering::Relaxed);
    });
}

#[derive(Debug)]
struct Glass;

impl Cipher for Glass {
    fn encrypt(&mut self, plaintext: &mut Buf, _: Aad, _: Nonce) -> Result<(), CryptoError> {
        plaintext.extend_from_slice(&[0; TAG]);
        Ok(())
    }

    fn decrypt(&mut self, ciphertext: &mut TmpBuf<'_>, _: Aad, _: Nonce) -> Result<(), CryptoError> {
        let len = ciphertext.len().saturating_sub(TAG);
        ciphertext.truncate(len);
        Ok(())
    }
}

#[derive(Debug)]
struct Suite12;

fn real12() -> &'static dyn SupportedDtls12CipherSuite {
    real().cipher_suites[0]
}

impl SupportedDtls12CipherSuite for Suite12 {
    fn suite(&self) -> Dtls12CipherSuite {
        real12().suite()
    }

    fn hash_algorithm(&self) -> HashAlgorithm {
        real12().hash_algorithm()
    }

    fn key_lengths(&self) -> (usize, usize, usize) {
        real12().key_lengths()
    }

    fn explicit_nonce_len(&self) -> usize {
        real12().explicit_nonce_len()
    }

    fn tag_len(&self) -> usize {
        TAG
    }

    fn create_cipher(&self, key: &[u8]) -> Result<Box<dyn Cipher>, CryptoError> {
        if is_glass() { Ok(Box::new(Glass)) } else { real12().create_cipher(key) }
    }
}

#[derive(Debug)]
struct Suite13;

fn real13() -> &'static dyn SupportedDtls13CipherSuite {
    real().dtls13_cipher_suites[0]
}

impl SupportedDtls13CipherSuite for Suite13 {
    fn suite(&self) -> Dtls13CipherSuite {
        real13().suite()
    }

    fn hash_algorithm(&self) -> HashAlgorithm {
        real13().hash_algorithm()
    }

    fn key_len(&self) -> usize {
        real13().key_len()
    }

    fn iv_len(&self) -> usize {
        real13().iv_len()
    }

    fn tag_len(&self) -> usize {
        TAG
    }

    fn create_cipher(&self, key: &[u8]) -> Result<Box<dyn Cipher>, CryptoError> {
        if is_glass() { Ok(Box::new(Glass)) } else { real13().create_cipher(key) }
    }

    fn encrypt_sn(&self, key: &[u8], sample: &[u8; 16]) -> [u8; 16] {
        if is_glass() { [0; 16] } else { real13().encrypt_sn(key, sample) }
    }
}

#[derive(Debug)]
struct Group;

#[derive(Debug)]
struct Exchange;

impl SupportedKxGroup for Group {
    fn name(&self) -> NamedGroup {
        NamedGroup::X25519
    }

    fn start_exchange(&self, buffer: Buf) -> Result<Box<dyn ActiveKeyExchange>, CryptoError> {
        if is_glass() { Ok(Box::new(Exchange)) } else { real().kx_groups[0].start_exchange(buffer) }
    }
}

impl ActiveKeyExchange for Exchange {
    fn pub_key(&self) -> &[u8] {
        &[9; 32]
    }

    fn complete(self: Box<Self>, _peer: &[u8], out: &mut Buf) -> Result<(), CryptoError> {
        out.extend_from_slice(&[1; 32]);
        Ok(())
    }

    fn group(&self) -> NamedGroup {
        NamedGroup::X25519
    }
}

#[derive(Debug)]
struct Verifier;

impl SignatureVerifier for Verifier {
    fn verify_signature(
        &self,
        certificate: &[u8],
        data: &[u8],
        signature: &[u8],
        hash: HashAlgorithm,
        kind: SignatureAlgorithm,
    ) -> Result<(), CryptoError> {
        if is_glass() {
            return Ok(());
        }
        real().signature_verification.verify_signature(certificate, data, signature, hash, kind)
    }
}

#[derive(Debug)]
struct Hmac;

impl HmacProvider for Hmac {
    fn hmac(&self, hash: HashAlgorithm, key: &[u8], data: &[u8], out: &mut [u8]) -> Result<usize, CryptoError> {
        let len = real().hmac_provider.hmac(hash, key, data, out)?;
        if is_glass() {
            // Whatever was said, the other side agrees that it was.
            out[..len].fill(7);
        }
        Ok(len)
    }
}
