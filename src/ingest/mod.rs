//! How music gets in: scan, watch, understand, reconcile. Reads what watched folders and lockers
//! hold and tells `catalog`.
