/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qom/object.h, hw/qdev-core.h: types and their classes, instances, references, names, the tree. */
#include "common/conformance.h"

#include <string.h>

#include "qemu/main-loop.h"

/* ---- types of this program ---- */

typedef struct {
    ObjectClass parent_class;
    int legs;
} AnimalClass;

typedef struct {
    Object parent_obj;
    int age;
} Animal;

typedef struct {
    Animal parent_obj;
    char tail[8];
} Dog;

static GString *story;

static void animal_class_init(ObjectClass *class, void *data)
{
    ((AnimalClass *)class)->legs = data ? *(int *)data : -1;
}

static void dog_class_init(ObjectClass *class, void *data)
{
    (void)data;
    ((AnimalClass *)class)->legs *= 2;      /* of the parent's, which was copied */
}

static void tell(const char *what, Object *object)
{
    if (story) {
        g_string_append_printf(story, "%s %s\n", what, object_get_typename(object));
    }
}

static void animal_init(Object *object)
{
    g_assert_cmpint(((Animal *)object)->age, ==, 0);
    ((Animal *)object)->age = 1;
    tell("animal born:", object);
}

static void dog_init(Object *object)
{
    g_assert_cmpint(((Animal *)object)->age, ==, 1);
    tell("dog born:", object);
}

static void animal_finalize(Object *object)
{
    tell("animal dies:", object);
}

static void dog_finalize(Object *object)
{
    tell("dog dies:", object);
}

static Object *kept;

static void keep_in_the_finalizer(Object *object)
{
    kept = object_ref(object);
}

static void borrow_in_the_finalizer(Object *object)
{
    object_unref(object_ref(object));
}

static int two = 2;
static const TypeInfo animal_type = {
    .name = "animal", .parent = TYPE_OBJECT, .instance_size = sizeof(Animal), .class_size = sizeof(AnimalClass),
    .class_init = animal_class_init, .class_data = &two, .instance_init = animal_init,
    .instance_finalize = animal_finalize, .abstract = true,
};
static const TypeInfo dog_type = {
    .name = "dog", .parent = "animal", .instance_size = sizeof(Dog), .class_init = dog_class_init,
    .instance_init = dog_init, .instance_finalize = dog_finalize,
};
static const TypeInfo puppy_type = { .name = "puppy", .parent = "dog" };
static const TypeInfo clinging_type = {
    .name = "clinging", .parent = TYPE_OBJECT, .instance_finalize = keep_in_the_finalizer,
};
static const TypeInfo borrowing_type = {
    .name = "borrowing", .parent = TYPE_OBJECT, .instance_finalize = borrow_in_the_finalizer,
};
static const TypeInfo orphan_type = { .name = "orphan", .parent = "nobody" };
static const TypeInfo shrunk_type = { .name = "shrunk", .parent = "dog", .instance_size = sizeof(Object) };
static const TypeInfo circle_type = { .name = "circle", .parent = "circle" };
static const TypeInfo nameless_type = { .parent = TYPE_OBJECT };

DECLARE_OBJ_CHECKERS(Dog, AnimalClass, DOG, "dog")

static void register_types(void)
{
    static const TypeInfo *types[] = {
        &puppy_type, &dog_type, &animal_type, &clinging_type, &borrowing_type, &orphan_type, &shrunk_type,
        &circle_type,
    };

    for (size_t i = 0; i < G_N_ELEMENTS(types); i++) {
        type_register_static(types[i]);     /* the parent may come later */
    }
}

/* ---- classes ---- */

static void classes(void)
{
    ObjectClass *animal = object_class_by_name("animal"), *dog = object_class_by_name("dog"),
                *puppy = object_class_by_name("puppy");

    g_assert_cmpstr(object_class_get_name(puppy), ==, "puppy");
    check(object_class_get_parent(puppy) == dog);
    check(object_class_get_parent(dog) == animal);
    check(object_class_get_parent(object_class_by_name(TYPE_OBJECT)) == NULL);
    check(object_class_is_abstract(animal));
    check(!object_class_is_abstract(dog));
    check(object_class_by_name("cat") == NULL);
    check_number((uint64_t)((AnimalClass *)animal)->legs, 2);
    check_number((uint64_t)((AnimalClass *)dog)->legs, 4);
    check_number((uint64_t)((AnimalClass *)puppy)->legs, 4);
    check_number(object_type_get_instance_size("puppy"), sizeof(Dog));
    check_number(object_type_get_instance_size(TYPE_CONTAINER), sizeof(Object));
}

static void casts(void)
{
    Object *puppy = object_new("puppy"), *container = object_new(TYPE_CONTAINER);
    char copy[10];

    check(object_dynamic_cast(puppy, "dog") == puppy);
    check(object_dynamic_cast(puppy, "puppy") == puppy);
    check(object_dynamic_cast(container, "dog") == NULL);
    check(object_dynamic_cast(NULL, "dog") == NULL);
    check(object_class_dynamic_cast(object_get_class(puppy), "animal") == object_get_class(puppy));
    check(object_class_dynamic_cast(object_get_class(container), "animal") == NULL);
    g_strlcpy(copy, "animal", sizeof(copy));
    check(object_class_dynamic_cast(object_get_class(puppy), copy) == object_get_class(puppy));
    check(object_class_by_name(NULL) == NULL);
    check(object_class_dynamic_cast(NULL, "animal") == NULL);
    check((Object *)DOG(puppy) == puppy);
    check(DOG(NULL) == NULL);
    check((ObjectClass *)DOG_GET_CLASS(puppy) == object_get_class(puppy));
    check(DOG_CLASS(NULL) == NULL);
    object_unref(puppy);
    object_unref(container);
}

/* ---- instances ---- */

static void life(void)
{
    Dog *dog = stage_storage(sizeof(*dog));

    story = g_string_new(NULL);
    object_initialize(dog, sizeof(*dog), "puppy");
    check_number(memcore_object_references(OBJECT(dog)), 1);
    check(object_ref(dog) == dog);
    check_number(memcore_object_references(OBJECT(dog)), 2);
    object_unref(dog);
    object_unref(dog);
    check(object_ref(NULL) == NULL);
    object_unref(NULL);
    g_assert_cmpstr(story->str, ==,
                    "animal born: puppy\ndog born: puppy\ndog dies: puppy\nanimal dies: puppy\n");
    g_string_free(story, TRUE);
    story = NULL;
}

/* The newest first; one that somebody else holds stays. */
static void children_go_before_their_parent(void)
{
    Object *parent = object_new(TYPE_CONTAINER), *first = object_new("dog"), *second = object_new("puppy");

    story = g_string_new(NULL);
    object_property_add_child(parent, "first", first);
    object_property_add_child(parent, "second", second);
    object_unref(second);
    check_number(memcore_object_references(first), 2);
    object_unref(parent);
    g_assert_cmpstr(story->str, ==, "dog dies: puppy\nanimal dies: puppy\n");
    check(object_get_canonical_path_component(first) == NULL);
    check_number(memcore_object_references(first), 1);
    object_unref(first);
    g_string_free(story, TRUE);
    story = NULL;
}

static void finalizer_borrows_itself(void)
{
    object_unref(object_new("borrowing"));
}

/* ---- names and the tree ---- */

static int count_until(Object *child, void *opaque)
{
    unsigned *left = opaque;

    (void)child;
    return --*left == 0 ? 7 : 0;
}

static int unparent_it(Object *child, void *opaque)
{
    (void)opaque;
    object_unparent(child);
    return 0;
}

static void paths(void)
{
    Object *box = object_new(TYPE_CONTAINER), *inner = object_new(TYPE_CONTAINER);
    unsigned left = 2;
    char *path;

    object_property_add_child(box, "inner", inner);
    object_unref(inner);
    check(object_get_canonical_path(inner) == NULL);        /* not in the tree */
    object_property_add_child(qdev_get_machine(), "box", box);
    object_unref(box);
    path = object_get_canonical_path(inner);
    g_assert_cmpstr(path, ==, "/machine/box/inner");
    free(path);
    path = object_get_canonical_path(object_get_root());
    g_assert_cmpstr(path, ==, "/");
    free(path);
    g_assert_cmpstr(object_get_canonical_path_component(inner), ==, "inner");
    check(object_resolve_path_component(box, "inner") == inner);
    check(object_resolve_path_component(box, "outer") == NULL);
    object_property_add_child(box, "second", inner = object_new(TYPE_CONTAINER));
    object_unref(inner);
    check_number((uint64_t)object_child_foreach(box, count_until, &left), 7);
    check_number((uint64_t)object_child_foreach(box, unparent_it, NULL), 0);
    check(object_resolve_path_component(box, "second") == NULL);
    object_unparent(box);
}

/* Puts a child there and tells how it is called. */
static const char *named(Object *parent, const char *name)
{
    Object *child = object_new(TYPE_CONTAINER);

    object_property_add_child(parent, name, child);
    object_unref(child);
    return object_get_canonical_path_component(child);
}

/* The tree is there for whoever asks for any of it first: in a process where nobody did. */
static void first_child_of(Object *(*parent)(void), const char *path)
{
    if (g_test_subprocess()) {
        Object *child = stage_owner("first");

        object_property_add_child(parent(), "first", child);
        check_text_taken(object_get_canonical_path(child), path);
        object_unparent(child);
        return;
    }
    g_test_trap_subprocess(NULL, 0, 0);
    g_test_trap_assert_passed();
}

static void root_first(void) { first_child_of(object_get_root, "/first"); }
static void machine_first(void) { first_child_of(qdev_get_machine, "/machine/first"); }

/* R-OBJ-2, and which names count as a number of a family: those that it could give. */
static void families(void)
{
    Object *parent = object_new(TYPE_CONTAINER);
    static const char *const no_numbers[] = {
        "dev[01]", "dev[]", "dev[x]", "dev[ 2]", "dev[2", "dev2]", "[2", "]", "dev[123456]", "dev[32767]", "dev[-2]",
        "12]", "aB", "b!",      /* of the last two, glib makes the same hash */
    };

    g_assert_cmpstr(named(parent, "dev[*]"), ==, "dev[0]");
    g_assert_cmpstr(named(parent, "dev[2]"), ==, "dev[2]");
    g_assert_cmpstr(named(parent, "dev[*]"), ==, "dev[1]");
    g_assert_cmpstr(named(parent, "dev[*]"), ==, "dev[3]");
    g_assert_cmpstr(named(parent, "dev"), ==, "dev");
    for (size_t i = 0; i < G_N_ELEMENTS(no_numbers); i++) {
        g_assert_cmpstr(named(parent, no_numbers[i]), ==, no_numbers[i]);
    }
    g_assert_cmpstr(named(parent, "dev[*]"), ==, "dev[4]");
    g_assert_cmpstr(named(parent, "[*]"), ==, "[0]");
    g_assert_cmpstr(named(parent, "other[*]"), ==, "other[0]");
    object_unparent(object_resolve_path_component(parent, "dev[1]"));
    g_assert_cmpstr(named(parent, "dev[*]"), ==, "dev[1]");
    /* More than a word of numbers, with one far off in use. */
    g_assert_cmpstr(named(parent, "crowd[700]"), ==, "crowd[700]");
    for (unsigned i = 0; i < 200; i++) {
        char *expected = g_strdup_printf("crowd[%u]", i);

        g_assert_cmpstr(named(parent, "crowd[*]"), ==, expected);
        g_free(expected);
    }
    /* A number with nothing in front of it, and one with as many digits as there are. */
    g_assert_cmpstr(named(parent, "[1]"), ==, "[1]");
    g_assert_cmpstr(named(parent, "[*]"), ==, "[2]");
    g_assert_cmpstr(named(parent, "many[10000]"), ==, "many[10000]");
    for (unsigned i = 0; i < 10000; i++) {
        named(parent, "many[*]");
    }
    g_assert_cmpstr(named(parent, "many[*]"), ==, "many[10001]");
    /* Words that are full to the last bit. */
    for (unsigned i = 0; i < 130; i++) {
        char *expected = g_strdup_printf("full[%u]", i);

        g_assert_cmpstr(named(parent, "full[*]"), ==, expected);
        g_free(expected);
    }
    /* Just behind the first word, and behind the second. */
    g_assert_cmpstr(named(parent, "edge[0]"), ==, "edge[0]");
    g_assert_cmpstr(named(parent, "edge[64]"), ==, "edge[64]");
    g_assert_cmpstr(named(parent, "edge[128]"), ==, "edge[128]");
    object_unparent(object_resolve_path_component(parent, "crowd[63]"));
    object_unparent(object_resolve_path_component(parent, "crowd[130]"));
    g_assert_cmpstr(named(parent, "crowd[*]"), ==, "crowd[63]");
    g_assert_cmpstr(named(parent, "crowd[*]"), ==, "crowd[130]");
    object_unref(parent);
}

static void devices(void)
{
    DeviceState *device = DEVICE(object_new(TYPE_DEVICE));
    char *path;

    check(qdev_get_dev_path(device) == NULL);
    device_set_id(device, "net0");
    device_set_path(device, "0000:00:02.0");
    device_set_path(device, "0000:00:03.0");
    g_assert_cmpstr(device->id, ==, "net0");
    path = qdev_get_dev_path(device);
    g_assert_cmpstr(path, ==, "0000:00:03.0");
    free(path);
    device_set_path(device, NULL);
    check(qdev_get_dev_path(device) == NULL);
    object_unref(device);
}

/* ---- misuse ---- */

static void type_twice(void) { type_register_static(&dog_type); }
static void type_without_name(void) { type_register_static(&nameless_type); }
static void type_of_nobody(void) { object_new("orphan"); }
static void type_too_small(void) { object_new("shrunk"); }
static void type_of_itself(void) { object_new("circle"); }
static void new_of_unknown(void) { object_new("cat"); }
static void new_of_null(void) { object_new(NULL); }
static void new_of_abstract(void) { object_new("animal"); }
static void size_of_unknown(void) { object_type_get_instance_size("cat"); }

static void too_little_storage(void)
{
    object_initialize(stage_storage(sizeof(Object)), sizeof(Object), "dog");
}

static void cast_of_another(void)
{
    (void)DOG(object_new(TYPE_CONTAINER));
}

static void cast_of_a_named_one(void)
{
    (void)DOG(qdev_get_machine());
}

static void class_cast_of_another(void)
{
    (void)DOG_CLASS(object_class_by_name(TYPE_CONTAINER));
}

static void unref_of_the_dead(void)
{
    Dog *dog = stage_storage(sizeof(*dog));

    object_initialize(dog, sizeof(*dog), "dog");
    object_unref(dog);
    object_unref(dog);
}

static void ref_of_the_dead(void)
{
    Dog *dog = stage_storage(sizeof(*dog));

    object_initialize(dog, sizeof(*dog), "dog");
    object_unref(dog);
    dog->parent_obj.parent_obj.dying = false;       /* as if its storage had been cleared since */
    object_ref(dog);
}

static void finalizer_that_clings(void)
{
    object_unref(object_new("clinging"));
}

static void last_reference_of_the_parent(void)
{
    Object *child = object_new(TYPE_CONTAINER);

    object_property_add_child(qdev_get_machine(), "child", child);
    object_unref(child);
    object_unref(child);
}

static void two_parents(void)
{
    Object *child = object_new(TYPE_CONTAINER);

    object_property_add_child(qdev_get_machine(), "child", child);
    object_property_add_child(object_get_root(), "child", child);
}

static void name_in_use(void)
{
    object_property_add_child(qdev_get_machine(), "child", object_new(TYPE_CONTAINER));
    object_property_add_child(qdev_get_machine(), "child", object_new(TYPE_CONTAINER));
}

static void number_in_use(void)
{
    named(qdev_get_machine(), "dev[*]");
    named(qdev_get_machine(), "dev[0]");
}

static void child_of_itself(void)
{
    Object *box = object_new(TYPE_CONTAINER), *inner = object_new(TYPE_CONTAINER);

    object_property_add_child(box, "inner", inner);
    object_property_add_child(inner, "box", box);
}

static void child_without_the_lock(void)
{
    qemu_mutex_unlock_iothread();
    object_property_add_child(qdev_get_machine(), "child", object_new(TYPE_CONTAINER));
}

static void unparent_without_the_lock(void)
{
    Object *child = object_new(TYPE_CONTAINER);

    object_property_add_child(qdev_get_machine(), "child", child);
    qemu_mutex_unlock_iothread();
    object_unparent(child);
}

static void mother(Object *object)
{
    object_property_add_child(object, "late", object_new(TYPE_CONTAINER));
}

static void child_of_the_dying(void)
{
    static const TypeInfo info = { .name = "mother", .parent = TYPE_CONTAINER, .instance_size = sizeof(Object),
                                   .instance_finalize = mother };

    type_register_static(&info);
    object_unref(object_new("mother"));
}

static void add_misuse(void)
{
    static const Misuse cases[] = {
        { "/base/object/type-twice", type_twice, "type_register_static", "dog" },
        { "/base/object/type-without-name", type_without_name, "type_register_static", "without a name" },
        { "/base/object/type-of-nobody", type_of_nobody, "type_register_static", "nobody" },
        { "/base/object/type-too-small", type_too_small, "type_register_static", "shrunk" },
        { "/base/object/type-of-itself", type_of_itself, "type_register_static", "circle" },
        { "/base/object/new-of-unknown", new_of_unknown, "object_new", "cat" },
        { "/base/object/new-of-null", new_of_null, "object_new", "null" },
        { "/base/object/new-of-abstract", new_of_abstract, "object_new", "animal" },
        { "/base/object/size-of-unknown", size_of_unknown, "object_type_get_instance_size", "cat" },
        { "/base/object/too-little-storage", too_little_storage, "object_initialize", "dog" },
        { "/base/object/cast-of-another", cast_of_another, "DOG", "no name" },
        { "/base/object/cast-of-a-named-one", cast_of_a_named_one, "DOG", "machine" },
        { "/base/object/class-cast-of-another", class_cast_of_another, "DOG_CLASS", "container" },
        { "/base/object/unref-of-the-dead", unref_of_the_dead, "object_unref", "dog" },
        { "/base/object/ref-of-the-dead", ref_of_the_dead, "object_ref", "dog" },
        { "/base/object/finalizer-that-clings", finalizer_that_clings, "object_unref", "clinging" },
        { "/base/object/last-reference-of-the-parent", last_reference_of_the_parent, "object_unref", "child" },
        { "/base/object/two-parents", two_parents, "object_property_add_child", "machine" },
        { "/base/object/name-in-use", name_in_use, "object_property_add_child", "child" },
        { "/base/object/number-in-use", number_in_use, "object_property_add_child", "dev?0?" },
        { "/base/object/child-of-itself", child_of_itself, "object_property_add_child", "inner" },
        { "/base/object/child-of-the-dying", child_of_the_dying, "object_property_add_child", "late" },
        { "/base/object/child-without-the-lock", child_without_the_lock, "object_property_add_child",
          "without the big lock" },
        { "/base/object/unparent-without-the-lock", unparent_without_the_lock, "object_unparent",
          "without the big lock" },
    };

    conformance_misuses(cases);
}

int main(int argc, char **argv)
{
    conformance_start(&argc, &argv);
    register_types();
    conformance_case("/base/object/classes", classes);
    conformance_case("/base/object/casts", casts);
    conformance_case("/base/object/life", life);
    conformance_case("/base/object/children-go-before-their-parent", children_go_before_their_parent);
    conformance_case("/base/object/finalizer-borrows-itself", finalizer_borrows_itself);
    conformance_case("/base/object/paths", paths);
    conformance_case("/base/object/root-first", root_first);
    conformance_case("/base/object/machine-first", machine_first);
    conformance_case("/base/object/families", families);
    conformance_case("/base/object/devices", devices);
    add_misuse();
    return g_test_run();
}
