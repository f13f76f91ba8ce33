/// A statement that the program may send. They are all collected, so that one test can let PostgreSQL check every
/// one of them: tables, columns, types.
pub struct Sql {
    pub text: &'static str,
    pub file: &'static str,
    pub line: u32,
}

inventory::collect!(Sql);

impl Sql {
    pub fn all() -> impl Iterator<Item = &'static Sql> {
        inventory::iter::<Sql>()
    }
}

#[doc(hidden)]
pub use inventory::submit;

/// `tx.query_one(sql!("select …"), &[…])`
#[macro_export]
macro_rules! sql {
    ($text:expr) => {{
        $crate::submit! { $crate::Sql { text: $text, file: file!(), line: line!() } }
        $text
    }};
}
