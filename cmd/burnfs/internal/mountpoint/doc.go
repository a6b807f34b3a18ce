// Package mountpoint answers questions about directories and mounts without
// touching the mounted filesystem: everything comes from
// /proc/…/mountinfo (proc(5)), because a path below a FUSE mount may block for
// as long as its daemon does.
package mountpoint
