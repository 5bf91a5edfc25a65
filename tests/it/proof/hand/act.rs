//! What a hand can do.

/// Something to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Act {
    Put,
    PutChunked,
    /// Half of it was acknowledged before.
    Tus,
    /// Made and sent by one request.
    TusWhole,
    /// Its length is told with the second half.
    TusDeferred,
    /// Two parts that are joined.
    TusJoin,
    Dav,
    Form,
    /// One file in an archive.
    Zip,
    /// The same as a resumable upload, unpacked behind its last byte.
    TusZip,
    /// From an address; it comes in after the answer.
    Import,
    /// The same of an archive, which is unpacked.
    ImportZip,
    /// The same of a list of two tracks, which is kept, too.
    ImportList,
    /// An order of a shop over what it uploaded.
    Delivery,
    /// Another over what it shows; it comes in after the answer.
    DeliveryByUrl,
    Replace,
    ReplaceByTus,
    ReplaceByDav,
    Move,
    MoveByDav,
    MoveFolder,
    MoveOver,
    Copy,
    CopyByDav,
    CopyOver,
    /// Over a copy of itself, which is another name of it where the disk has no shared blocks.
    MoveOverTwin,
    CopyOverTwin,
    Trash,
    TrashByDav,
    EmptyTrash,
    Restore,
    Purge,
    VersionBack,
    Remove,
    /// An administrator takes the content of a file down, wherever it is.
    TakeDown,
    /// Into the household's locker.
    PutInHouse,
    /// From the own locker to the household's, and the other way.
    MoveToHouse,
    CopyToHouse,
    MoveFromHouse,
    TrashInHouse,
    /// The same with a folder that another shares.
    PutInShared,
    MoveToShared,
    CopyToShared,
    MoveFromShared,
    /// Somebody's account goes; his files are put away, or go with it.
    RemoveUser,
    RemoveUserAndFiles,
    Claim,
    /// A song of the watched folder, which a file of the locker points at from then on.
    Refer,
    /// The folder lends no longer: what points gets bytes of its own.
    Recall,
    Grant,
    GrantEnd,
}
