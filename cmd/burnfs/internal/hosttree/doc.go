// Package hosttree makes the source of an image out of paths of this machine,
// with mkisofs' meaning of path arguments and graft points, laid over the tree
// of an earlier session if there is one.
//
//	     argument              without -graft-points      with
//	PATH, a directory      its content → /            the same
//	PATH, a file           /basename                  the same
//	a/b=PATH, a directory  (a path with a "=")        its content → /a/b
//	a/b=PATH, a file       (a path with a "=")        /a/b
//	a/b/=PATH, a file      (a path with a "=")        /a/b/basename
//
// With graft points "\=" is a "=" and "\\" a "\" on both sides.
//
// A directory of the image has up to three layers, looked through from above:
//
//	grafts      names that arguments ask for
//	hosts       directories of this machine whose content lands here
//	base        the directory of the earlier session
//
// Directories of the same name melt together on all layers. Of two files the
// upper hides the lower; two grafts or hosts with a file of the same name
// are an error, because it would be left to chance which of them is recorded.
//
// Files are not kept in memory: each enumeration reads the directories again.
// Only directories and files with several links leave a record, by which they
// get the same inode number each time.
package hosttree
