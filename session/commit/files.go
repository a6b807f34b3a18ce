package commit

// Files are the names of the files of a plan.
func Files() []string { return []string{treeName, filesName, dirsName, carryName, tailName, indexName} }
