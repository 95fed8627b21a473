/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "tree.h"

#include <string.h>

#define NOBODY (-1)

typedef struct {
    const char *id;
    const char *parent_id;
    const char *label;
    int parent;
    int first_child;
    int last_child;
    int next;     /* sibling */
    guint size;   /* nodes from here on */
    guint n_open; /* children whose size is not known yet */
    guint stamp;
} Node;

struct _Tree {
    GArray *nodes;
};

static Node *
node_of(Tree *tree, int index)
{
    return &g_array_index(tree->nodes, Node, index);
}

Tree *
tree_new(void)
{
    Tree *tree = g_new0(Tree, 1);

    tree->nodes = g_array_new(FALSE, TRUE, sizeof(Node));
    return tree;
}

void
tree_free(Tree *tree)
{
    if (tree == NULL)
        return;
    g_array_unref(tree->nodes);
    g_free(tree);
}

void
tree_add(Tree *tree, const char *id, const char *parent, const char *label)
{
    Node node = {
        .id = id,
        .parent_id = parent,
        .label = label,
        .parent = NOBODY,
        .first_child = NOBODY,
        .last_child = NOBODY,
        .next = NOBODY,
        .size = 1,
    };

    g_array_append_val(tree->nodes, node);
}

static void
find_parents(Tree *tree)
{
    g_autoptr(GHashTable) index_of = g_hash_table_new(g_str_hash, g_str_equal);
    int n = (int)tree->nodes->len;

    for (int i = 0; i < n; i++)
        if (node_of(tree, i)->id != NULL)
            g_hash_table_insert(index_of, (gpointer)node_of(tree, i)->id,
                                GINT_TO_POINTER(i + 1));
    for (int i = 0; i < n; i++) {
        Node *node = node_of(tree, i);

        if (node->parent_id != NULL)
            node->parent = GPOINTER_TO_INT(
                               g_hash_table_lookup(index_of, node->parent_id)) -
                           1;
    }
}

static void
cut_circles(Tree *tree)
{
    for (guint i = 0; i < tree->nodes->len; i++) {
        int node = (int)i;
        int below = NOBODY;

        while (node != NOBODY && node_of(tree, node)->stamp == 0) {
            node_of(tree, node)->stamp = i + 1;
            below = node;
            node = node_of(tree, node)->parent;
        }
        if (node != NOBODY && node_of(tree, node)->stamp == i + 1)
            node_of(tree, below)->parent = NOBODY;
    }
}

static void
link_children(Tree *tree)
{
    for (int i = 0; i < (int)tree->nodes->len; i++) {
        Node *parent;

        if (node_of(tree, i)->parent == NOBODY)
            continue;
        parent = node_of(tree, node_of(tree, i)->parent);
        if (parent->first_child == NOBODY)
            parent->first_child = i;
        else
            node_of(tree, parent->last_child)->next = i;
        parent->last_child = i;
        parent->n_open++;
    }
}

/* From the leaves up; no recursion, chains may be long. */
static void
count_sizes(Tree *tree)
{
    for (int i = 0; i < (int)tree->nodes->len; i++) {
        int node = i;

        if (node_of(tree, i)->first_child != NOBODY)
            continue;
        while (node_of(tree, node)->parent != NOBODY) {
            Node *parent = node_of(tree, node_of(tree, node)->parent);

            parent->size += node_of(tree, node)->size;
            if (--parent->n_open > 0)
                break;
            node = node_of(tree, node)->parent;
        }
    }
}

static void
build(Tree *tree)
{
    find_parents(tree);
    cut_circles(tree);
    link_children(tree);
    count_sizes(tree);
}

static void
print_node(Tree *tree, int index, gboolean last, GString *indent, GString *out)
{
    const Node *node = node_of(tree, index);
    gboolean root = node->parent == NOBODY;
    gsize before = indent->len;

    g_string_append_printf(out, "%s%s%s\n", indent->str, root ? "" : "+- ",
                           node->label);
    if (!root)
        g_string_append(indent, last ? "  " : "| ");
    if (node->first_child != NOBODY)
        g_string_append_printf(out, "%s  |\n", indent->str);
    g_string_append(indent, "  ");
    for (int i = node->first_child; i != NOBODY; i = node_of(tree, i)->next)
        print_node(tree, i, i == node->last_child, indent, out);
    g_string_truncate(indent, indent->len - 2);
    if (node->first_child == NOBODY && last)
        g_string_append_printf(out, "%s\n", indent->str);
    g_string_truncate(indent, before);
}

void
tree_print(Tree *tree, GString *out)
{
    g_autoptr(GString) indent = g_string_new(NULL);

    build(tree);
    for (int i = 0; i < (int)tree->nodes->len; i++)
        if (node_of(tree, i)->parent == NOBODY)
            print_node(tree, i, TRUE, indent, out);
}

static int
heir_of(Tree *tree, int index)
{
    int heir = NOBODY;

    for (int i = node_of(tree, index)->first_child; i != NOBODY;
         i = node_of(tree, i)->next)
        if (heir == NOBODY ||
            node_of(tree, i)->size >= node_of(tree, heir)->size)
            heir = i;
    return heir;
}

/* Side lines are smaller than what goes on: the depth is logarithmic. */
static void
walk_line(Tree *tree,
          int index,
          const char *indent,
          TreeRowFunc func,
          gpointer opaque)
{
    g_autofree char *side = g_strconcat(indent, "| ", NULL);
    g_autofree char *row = g_strconcat(indent, "* ", NULL);
    gsize length = strlen(indent);

    for (gboolean first = TRUE; index != NOBODY; first = FALSE) {
        int heir = heir_of(tree, index);

        row[length] = node_of(tree, index)->parent == NOBODY ? 'o' : '*';
        if (length > 0)
            row[length - 1] = first ? '-' : ' ';
        func((guint)index, row, opaque);
        for (int i = node_of(tree, index)->first_child; i != NOBODY;
             i = node_of(tree, i)->next)
            if (i != heir)
                walk_line(tree, i, side, func, opaque);
        index = heir;
    }
}

void
tree_foreach_row(Tree *tree, TreeRowFunc func, gpointer opaque)
{
    build(tree);
    for (int i = 0; i < (int)tree->nodes->len; i++)
        if (node_of(tree, i)->parent == NOBODY)
            walk_line(tree, i, "", func, opaque);
}
