/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mtree_info's flat form: the published views (R-MT-11 to R-MT-13, I-20). */
#include "../common/conformance.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static char *flat(void)
{
    return stage_mtree(true, false, false, false);
}

/* ---- R-MT-11: views and who shows them ---- */

static void views(void)
{
    MemoryRegion *sys = stage_container("sys", UINT64_MAX);
    MemoryRegion *wrapper = stage_container("wrapper", UINT64_MAX);
    MemoryRegion *full = stage_alias("full", sys, 0, UINT64_MAX);
    MemoryRegion *through = stage_alias("through", full, 0, UINT64_MAX);
    MemoryRegion *off = stage_io("off", 0x1000);

    stage_add(sys, 0x1000, stage_ram("ram", 0x1000));
    stage_add(wrapper, 0, stage_alias("inner", sys, 0, UINT64_MAX));
    memory_region_set_enabled(off, false);
    stage_space(stage_container("void", 0x1000), "first");
    stage_space(sys, "memory");
    stage_space(stage_alias("part", sys, 0, 0x1800), "part");
    stage_space(wrapper, "dma");
    stage_space(off, "disabled");
    stage_space(through, "all");
    check_text_taken(flat(),
                     "FlatView #0\n"
                     " AS \"first\", root: void\n"
                     " AS \"disabled\", root: off\n"
                     " Root memory region: (none)\n"
                     "  No rendered FlatView\n"
                     "\n"
                     "FlatView #1\n"
                     " AS \"memory\", root: sys\n"
                     " AS \"dma\", root: wrapper\n"
                     " AS \"all\", root: through, alias full\n"
                     " Root memory region: sys\n"
                     "  0000000000001000-0000000000001fff (prio 0, ram): ram\n"
                     "\n"
                     "FlatView #2\n"
                     " AS \"part\", root: part, alias sys\n"
                     " Root memory region: part\n"
                     "  0000000000001000-00000000000017ff (prio 0, ram): ram\n"
                     "\n");
}

/* Something is rendered, but nothing is visible: the root has a name, the view has no range. */
static void view_without_ranges(void)
{
    MemoryRegion *root = stage_container("root", 0x1000);

    stage_add(root, 0x1000, stage_io("outside", 1));
    stage_space(root, "as");
    check_text_taken(stage_mtree(true, true, true, true),
                     "FlatView #0\n"
                     " AS \"as\", root: root\n"
                     " Root memory region: root\n"
                     "  No rendered FlatView\n"
                     "\n");
}

static void no_spaces(void)
{
    check_text_taken(flat(), "");
}

/* What is printed is what was published, not the tree as it is now. */
static void published_view(void)
{
    MemoryRegion *root = stage_container("root", UINT64_MAX);
    MemoryRegion *io = stage_io("io", 0x1000);

    stage_add(root, 0x1000, io);
    stage_space(root, "as");
    memory_region_transaction_begin();
    memory_region_set_address(io, 0x5000);
    check_text_taken(flat(),
                     "FlatView #0\n AS \"as\", root: root\n Root memory region: root\n"
                     "  0000000000001000-0000000000001fff (prio 0, i/o): io\n\n");
    memory_region_transaction_commit();
    check_text_taken(flat(),
                     "FlatView #0\n AS \"as\", root: root\n Root memory region: root\n"
                     "  0000000000005000-0000000000005fff (prio 0, i/o): io\n\n");
}

/* ---- R-MT-12: ranges ---- */

static void ranges(void)
{
    MemoryRegion *root = stage_container("root", UINT64_MAX);
    MemoryRegion *ram = stage_ram("ram", 0x3000);
    MemoryRegion *io = stage_io("io", 0x1000);
    MemoryRegion *romd = stage_rom_device("romd", 0x1000);
    MemoryRegion *quiet = stage_rom_device("quiet", 0x1000);
    MemoryRegion *ro_box = stage_container("ro box", 0x4000);
    MemoryRegion *nv_alias = stage_alias("nv alias", ram, 0x2800, 0x1000);
    MemoryRegion *device = stage_storage(sizeof(*device));
    uint8_t *host = stage_storage(0x1000);

    memory_region_init_ram_device_ptr(device, NULL, "device", 0x1000, host);
    stage_adopt(device, NULL);
    memory_region_rom_device_set_romd(quiet, false);
    memory_region_set_readonly(ro_box, true);
    memory_region_set_nonvolatile(nv_alias, true);
    stage_add_overlap(root, 0, ram, -7);
    stage_add_overlap(root, 0x1000, io, 3);
    stage_add(root, 0x10000, ro_box);
    stage_add(ro_box, 0, stage_io("ro io", 0x1000));
    stage_add(ro_box, 0x1000, stage_rom("ro rom", 0x1000));
    stage_add(ro_box, 0x2000, stage_alias("ro alias", ram, 0x1000, 0x1000));
    stage_add(ro_box, 0x3000, stage_rom_device("ro romd", 0x1000));
    stage_add(root, 0x20000, romd);
    stage_add(root, 0x21000, quiet);
    stage_add(root, 0x30000, nv_alias);
    stage_add(root, 0x40000, device);
    stage_add(root, UINT64_MAX, stage_io("last", 0x10));
    stage_space(root, "as");
    check_text_taken(flat(),
                     "FlatView #0\n"
                     " AS \"as\", root: root\n"
                     " Root memory region: root\n"
                     "  0000000000000000-0000000000000fff (prio -7, ram): ram\n"
                     "  0000000000001000-0000000000001fff (prio 3, i/o): io\n"
                     "  0000000000002000-0000000000002fff (prio -7, ram): ram @0000000000002000\n"
                     "  0000000000010000-0000000000010fff (prio 0, rom): ro io\n"
                     "  0000000000011000-0000000000011fff (prio 0, rom): ro rom\n"
                     "  0000000000012000-0000000000012fff (prio -7, rom): ram @0000000000001000\n"
                     "  0000000000013000-0000000000013fff (prio 0, rom): ro romd\n"
                     "  0000000000020000-0000000000020fff (prio 0, romd): romd\n"
                     "  0000000000021000-0000000000021fff (prio 0, i/o): quiet\n"
                     "  0000000000030000-00000000000307ff (prio -7, nv-ram): ram @0000000000002800\n"
                     "  0000000000040000-0000000000040fff (prio 0, ramd): device\n"
                     "  ffffffffffffffff-ffffffffffffffff (prio 0, i/o): last\n"
                     "\n");
}

static void range_of_two_to_the_64(void)
{
    stage_space(stage_io(NULL, UINT64_MAX), "as");
    check_text_taken(flat(),
                     "FlatView #0\n"
                     " AS \"as\", root: (null)\n"
                     " Root memory region: (null)\n"
                     "  0000000000000000-ffffffffffffffff (prio 0, i/o): (null)\n"
                     "\n");
}

static void owners(void)
{
    MemoryRegion *root = stage_container("root", UINT64_MAX);
    MemoryRegion *card;

    stage_set_owner(stage_owner("nic0"));
    card = stage_io("card", 0x2000);
    stage_set_owner(NULL);
    stage_add(root, 0, card);
    stage_add_overlap(root, 0, stage_io("loose", 0x1000), 1);
    stage_add(root, 0x4000, stage_io(NULL, 0x1000));
    stage_space(root, "as");
    check_text_taken(stage_mtree(true, false, true, false),
                     "FlatView #0\n"
                     " AS \"as\", root: root\n"
                     " Root memory region: root\n"
                     "  0000000000000000-0000000000000fff (prio 1, i/o): loose "
                     "parent:{obj path=/machine/unattached}\n"
                     "  0000000000001000-0000000000001fff (prio 0, i/o): card @0000000000001000 "
                     "owner:{dev id=nic0}\n"
                     "  0000000000004000-0000000000004fff (prio 0, i/o): (null) orphan\n"
                     "\n");
}

/* ---- R-MT-13: dispatch ---- */

/* What follows the sections is memcore's own; only its heading is fixed. */
static char *until_nodes(char *text)
{
    char *nodes = strstr(text, "    Nodes (");
    char *end = NULL;

    if (check(nodes != NULL)) {
        end = strchr(nodes, '\n');
        check(end && g_str_has_suffix(text, "\n\n"));
        *nodes = '\0';
    }
    return text;
}

static void dispatch_of_whole_pages(void)
{
    MemoryRegion *root = stage_container("root", UINT64_MAX);

    stage_add(root, 0x1000, stage_io("a", 0x1000));
    stage_add(root, 0x2000, stage_ram("b", 0x2000));
    stage_add(root, 0x8000, stage_rom("c", 0x1000));
    stage_add(root, 0x9000, stage_io(NULL, 0x1000));
    stage_space(root, "as");
    check_text_taken(until_nodes(stage_mtree(true, true, false, false)),
                     "FlatView #0\n"
                     " AS \"as\", root: root\n"
                     " Root memory region: root\n"
                     "  0000000000001000-0000000000001fff (prio 0, i/o): a\n"
                     "  0000000000002000-0000000000003fff (prio 0, ram): b\n"
                     "  0000000000008000-0000000000008fff (prio 0, rom): c\n"
                     "  0000000000009000-0000000000009fff (prio 0, i/o): (null)\n"
                     "  Dispatch\n"
                     "    Physical sections\n"
                     "      #0 @0000000000000000..ffffffffffffffff (noname) [unassigned]\n"
                     "      #1 @0000000000001000..0000000000001fff a [not dirty]\n"
                     "      #2 @0000000000002000..0000000000003fff b [ROM]\n"
                     "      #3 @0000000000008000..0000000000008fff c [watch]\n"
                     "      #4 @0000000000009000..0000000000009fff (noname)\n");
}

static void dispatch_marks_the_root(void)
{
    stage_space(stage_ram("ram", 0x4000), "as");
    check_text_taken(until_nodes(stage_mtree(true, true, false, false)),
                     "FlatView #0\n"
                     " AS \"as\", root: ram\n"
                     " Root memory region: ram\n"
                     "  0000000000000000-0000000000003fff (prio 0, ram): ram\n"
                     "  Dispatch\n"
                     "    Physical sections\n"
                     "      #0 @0000000000000000..ffffffffffffffff (noname) [unassigned]\n"
                     "      #1 @0000000000000000..0000000000003fff ram [not dirty] [ROOT]\n");
}

static const TypeInfo iommu_type = { .name = "conformance-printed-iommu", .parent = TYPE_IOMMU_MEMORY_REGION };

static void register_types(void)
{
    type_register_static(&iommu_type);
}
type_init(register_types)

static void dispatch_marks_iommus(void)
{
    IOMMUMemoryRegion *iommu = stage_storage(sizeof(*iommu));

    memory_region_init_iommu(iommu, sizeof(*iommu), iommu_type.name, NULL, "iommu", 0x1000);
    stage_adopt(&iommu->parent_obj, NULL);
    stage_space(&iommu->parent_obj, "as");
    check_text_taken(until_nodes(stage_mtree(true, true, false, false)),
                     "FlatView #0\n"
                     " AS \"as\", root: iommu\n"
                     " Root memory region: iommu\n"
                     "  0000000000000000-0000000000000fff (prio 0, i/o): iommu\n"
                     "  Dispatch\n"
                     "    Physical sections\n"
                     "      #0 @0000000000000000..ffffffffffffffff (noname) [unassigned]\n"
                     "      #1 @0000000000000000..0000000000000fff iommu [not dirty] [ROOT] [iommu]\n");
}

/* ---- I-20: the text is the list ---- */

/* The lines of ranges only, as text_of_flatview writes them. */
static char *parsed(const char *text)
{
    GString *ranges = g_string_new(NULL);
    char **lines = g_strsplit(text, "\n", -1);

    for (size_t i = 0; lines[i]; i++) {
        uint64_t first, last, offset = 0;
        char *name = strstr(lines[i], "): ");
        char *at;

        if (!name || sscanf(lines[i], "  %16" SCNx64 "-%16" SCNx64, &first, &last) != 2) {
            continue;
        }
        name += strlen("): ");
        at = strstr(name, " @");
        if (at) {
            *at = '\0';
            offset = g_ascii_strtoull(at + 2, NULL, 16);
        }
        g_string_append_printf(ranges, "%s%s[", ranges->len ? ", " : "", name);
        g_string_append_printf(ranges, first ? "0x%" PRIx64 "," : "%" PRIx64 ",", first);
        g_string_append_printf(ranges, "0x%" PRIx64 ")", last + 1);
        if (offset) {
            g_string_append_printf(ranges, "@0x%" PRIx64, offset);
        }
    }
    g_strfreev(lines);
    return g_string_free(ranges, FALSE);
}

static void text_is_the_list(void)
{
    MemoryRegion *root = stage_container("root", 0x10000);
    AddressSpace *as;
    char *text, *list;

    for (unsigned i = 0; i < 40; i++) {
        char name[8];
        MemoryRegion *mr;

        g_snprintf(name, sizeof(name), "r%u", i);
        mr = stage_io(name, i * 37 % 0x200);
        stage_add_overlap(root, i * 0x91 % 0x1000, mr, (int)(i * 5 % 7));
    }
    as = stage_space(root, "as");
    text = flat();
    list = text_of_flatview(address_space_to_flatview(as));
    check_text_taken(parsed(text), list);
    check(strlen(list) > 200);
    g_free(list);
    g_free(text);
}

int main(int argc, char **argv)
{
    conformance_start(&argc, &argv);
    conformance_case("/R-MT-11/views", views);
    conformance_case("/R-MT-11/view-without-ranges", view_without_ranges);
    conformance_case("/R-MT-11/no-spaces", no_spaces);
    conformance_case("/R-MT-11/published-view", published_view);
    conformance_case("/R-MT-12/ranges", ranges);
    conformance_case("/R-MT-12/two-to-the-64", range_of_two_to_the_64);
    conformance_case("/R-MT-12/owners", owners);
    conformance_case("/R-MT-13/whole-pages", dispatch_of_whole_pages);
    conformance_case("/R-MT-13/marks-the-root", dispatch_marks_the_root);
    conformance_case("/R-MT-13/marks-iommus", dispatch_marks_iommus);
    conformance_case("/I-20/regions-flat-text-is-the-list", text_is_the_list);
    return g_test_run();
}
