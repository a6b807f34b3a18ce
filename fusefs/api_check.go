package fusefs

import "bazil.org/fuse/fs"

// These are all the interfaces of bazil.org/fuse that each type has to have: what
// the kernel may ask of it.

var (
	_ fs.FS         = (*filesystem)(nil)
	_ fs.FSStatfser = (*filesystem)(nil)
)

var (
	_ fs.Node                = dir{}
	_ fs.NodeGetattrer       = dir{}
	_ fs.NodeSetattrer       = dir{}
	_ fs.NodeFsyncer         = dir{}
	_ fs.NodePoller          = dir{}
	_ fs.NodeGetxattrer      = dir{}
	_ fs.NodeListxattrer     = dir{}
	_ fs.NodeSetxattrer      = dir{}
	_ fs.NodeRemovexattrer   = dir{}
	_ fs.NodeRequestLookuper = dir{}
	_ fs.NodeCreater         = dir{}
	_ fs.NodeMknoder         = dir{}
	_ fs.NodeMkdirer         = dir{}
	_ fs.NodeSymlinker       = dir{}
	_ fs.NodeLinker          = dir{}
	_ fs.NodeRemover         = dir{}
	_ fs.NodeRenamer         = dir{}
	_ fs.NodeOpener          = dir{}
)

var _ fs.HandleReadDirAller = (*list)(nil)

var (
	_ fs.Node              = leaf{}
	_ fs.NodeGetattrer     = leaf{}
	_ fs.NodeSetattrer     = leaf{}
	_ fs.NodeFsyncer       = leaf{}
	_ fs.NodePoller        = leaf{}
	_ fs.NodeGetxattrer    = leaf{}
	_ fs.NodeListxattrer   = leaf{}
	_ fs.NodeSetxattrer    = leaf{}
	_ fs.NodeRemovexattrer = leaf{}
	_ fs.NodeReadlinker    = leaf{}
	_ fs.NodeOpener        = leaf{}
)

var (
	_ fs.HandleReader     = (*file)(nil)
	_ fs.HandleWriter     = (*file)(nil)
	_ fs.HandleFAllocater = (*file)(nil)
	_ fs.HandleFlusher    = (*file)(nil)
	_ fs.HandleReleaser   = (*file)(nil)
)
