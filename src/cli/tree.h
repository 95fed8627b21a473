/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Points and their parents, drawn; pure. A parent that is not there, or that
 * would close a circle, counts as none. */
#ifndef TREE_H
#define TREE_H

#include <glib.h>

typedef struct _Tree Tree;

/* Free with tree_free(). */
Tree *
tree_new(void);

void
tree_free(Tree *tree);

/* Strings are borrowed. @parent may be NULL, and may be added later. */
void
tree_add(Tree *tree, const char *id, const char *parent, const char *label);

/* As virsh draws a tree; each level further in. */
void
tree_print(Tree *tree, GString *out);

/* @index: of the node, as added. @drawing stands before its label. */
typedef void (*TreeRowFunc)(guint index, const char *drawing, gpointer opaque);

/*
 * Row by row, for long chains: a line of descent begins with "o" and goes
 * straight down, a side line stands one step further in. The children's
 * largest tree goes on.
 */
void
tree_foreach_row(Tree *tree, TreeRowFunc func, gpointer opaque);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Tree, tree_free)

#endif
