//! How music gets out: the decision between original and transcode, streams, the transcode cache
//! with its worker processes, and what plays now.
