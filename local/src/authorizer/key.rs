//! The signing key of the local issuer, made on first use and kept.
//!
//! It signs tokens for the gateway on this machine and opens nothing else.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use aws_lc_rs::digest;
use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rsa::{KeySize, PublicKey};
use aws_lc_rs::signature::{KeyPair as _, RsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

/// An RSA key pair of 2,048 bits.
#[derive(Clone)]
pub struct Key {
    id: String,
    private_der: Vec<u8>,
    public_der: Vec<u8>,
}

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The file or its directory cannot be read or written.
    #[error("cannot keep the signing key in `{0}`")]
    File(String, #[source] io::Error),
    /// The file holds something else.
    #[error("the file `{0}` is not an RSA key; delete it to have a new one made")]
    Content(String),
    /// The library refuses.
    #[error("cannot make a signing key")]
    Generation,
}

impl Key {
    /// The key of this workspace, in `.local/` beside the workspace manifest,
    /// or in the working directory where the workspace is not at hand.
    ///
    /// # Errors
    ///
    /// When the file cannot be read or written, or is no key.
    pub fn kept() -> Result<Self, KeyError> {
        let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
        let root = workspace.filter(|root| root.join("Cargo.toml").is_file());
        Self::kept_in(&root.unwrap_or(Path::new(".")).join(".local"))
    }

    /// The key in a directory, made when missing. Of several processes that
    /// begin at once, all end with the same key.
    ///
    /// # Errors
    ///
    /// When the file cannot be read or written, or is no key.
    pub fn kept_in(directory: &Path) -> Result<Self, KeyError> {
        let file = directory.join("issuer.der");
        let fail = |error| KeyError::File(file.display().to_string(), error);
        if !file.exists() {
            fs::create_dir_all(directory).map_err(fail)?;
            let draft = draft(directory);
            let written = write(&draft, &Self::generate()?.private_der)
                // Unlike a rename, a link never replaces the key of another.
                .and_then(|()| fs::hard_link(&draft, &file));
            let removed = fs::remove_file(&draft);
            match written {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                    return Err(fail(error));
                }
                _ => removed.map_err(fail)?,
            }
        }
        let private_der = fs::read(&file).map_err(fail)?;
        Self::from_der(private_der).ok_or_else(|| KeyError::Content(file.display().to_string()))
    }

    /// A new key that is kept nowhere.
    ///
    /// # Errors
    ///
    /// When the library refuses.
    pub fn generate() -> Result<Self, KeyError> {
        let pair = RsaKeyPair::generate(KeySize::Rsa2048).map_err(|_| KeyError::Generation)?;
        let der = pair.as_der().map_err(|_| KeyError::Generation)?;
        Self::from_der(der.as_ref().to_vec()).ok_or(KeyError::Generation)
    }

    /// What tokens carry as `kid`.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// PKCS #8, the form that the signing library reads.
    pub(super) fn private_pem(&self) -> String {
        let text = STANDARD.encode(&self.private_der);
        let (mut pem, mut rest) = (String::from("-----BEGIN PRIVATE KEY-----\n"), &*text);
        while let Some((line, after)) = rest.split_at_checked(64) {
            pem.extend([line, "\n"]);
            rest = after;
        }
        pem.extend([rest, "\n-----END PRIVATE KEY-----\n"]);
        pem
    }

    /// PKCS #1.
    pub(super) fn public_der(&self) -> &[u8] {
        &self.public_der
    }

    fn from_der(private_der: Vec<u8>) -> Option<Self> {
        let pair = RsaKeyPair::from_pkcs8(&private_der).ok()?;
        let public: &PublicKey = pair.public_key();
        let public_der = public.as_ref().to_vec();
        let hash = digest::digest(&digest::SHA256, &public_der);
        Some(Self {
            id: URL_SAFE_NO_PAD.encode(hash),
            private_der,
            public_der,
        })
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// A name that no other process or thread uses.
fn draft(directory: &Path) -> PathBuf {
    let process = std::process::id();
    let thread = std::thread::current().id();
    directory.join(format!("issuer.{process}.{thread:?}.draft"))
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    let mut file: File = options
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}
