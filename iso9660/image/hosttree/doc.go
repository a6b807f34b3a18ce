// Package hosttree makes files of this computer the source of an image.
//
// [Scan] walks the given paths once and notes what it finds in an index, a
// temporary file without a name. The builder's enumerations read that index, so
// they agree whatever happens to the files meanwhile, and memory does not grow
// with their number:
//
//	Scan ──lstat, readlink, listxattr──▶ index ◀──Root, Children── image.Plan …
//	                                       │
//	          image.Stream ──Open──▶ path ─┘──open, read──▶ content
//
// A directory's record in the index follows those of its subdirectories and
// says where they are.
//
// # Paths
//
// As with mkisofs, the content of a directory that is named goes to the root of
// the image, and a file goes there under its own name. With graft points, an
// argument "target=source" puts the source elsewhere; see [ParseSpec]. Several
// directories with the same target are merged; two files of the same name are an
// error, because it would be left to chance which of them is recorded. Symbolic
// links are recorded as links; only where one is named itself and leads to a
// directory, that directory's content is meant.
//
// # Files that change
//
// Between the layout and the reading of a file its size may change. Blocks have
// been assigned by then, so a file that has become shorter is filled up with
// zeros, and what a longer one has too much is left out. Either way, and also
// when only its time of modification is another one, Options.Warn is told, and
// [Tree.Changed] counts it. A file that cannot be opened any more ends the image.
package hosttree
