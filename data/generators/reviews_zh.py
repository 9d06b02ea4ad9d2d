"""Chinese reviews with a label, built as the English ones: known clauses, joined so that the joint decides."""

from dataclasses import dataclass

from generators.rng import Rng, unique


@dataclass(frozen=True)
class Aspect:
    """One side of a thing, with the words that praise and blame it; those in the `_negatable` lists take 不."""

    noun: str
    good: list[str]
    bad: list[str]
    good_negatable: list[str]
    bad_negatable: list[str]


@dataclass(frozen=True)
class Domain:
    """A kind of thing: its aspects, what people say around it, and how they conclude."""

    aspects: list[Aspect]
    fillers: list[str]
    good_verdicts: list[str]
    bad_verdicts: list[str]


def aspects(table: str) -> list[Aspect]:
    """The aspects in a table of `noun | praise | blame` lines; a `*` after a word says that it takes 不."""
    result = []
    for line in table.strip().splitlines():
        noun, good, bad = (part.strip() for part in line.split("|"))
        plain = [[word.rstrip("*") for word in part.split()] for part in (good, bad)]
        starred = [[word.rstrip("*") for word in part.split() if word.endswith("*")] for part in (good, bad)]
        result.append(Aspect(noun, *plain, *starred))
    return result


PLACE_GOOD = ["下次还会来", "值得一去", "强烈推荐", "会推荐给朋友", "总体很满意", "不虚此行"]
PLACE_BAD = ["再也不会来了", "不推荐", "不值得去", "大家还是别去了", "总体很失望", "白跑一趟"]
GOODS_GOOD = ["值得购买", "强烈推荐", "还会回购", "物有所值", "总体很满意", "买得很值"]
GOODS_BAD = ["不值得购买", "不推荐", "已经退货了", "浪费钱", "总体很失望", "后悔买了"]
STORY_GOOD = ["值得一看", "强烈推荐", "还想再看一遍", "没有浪费时间", "总体很满意", "千万别错过"]
STORY_BAD = ["不值得看", "不推荐", "看不下去", "浪费时间", "总体很失望", "大家还是别看了"]

DOMAINS = {
    "hotel": Domain(
        aspects("""
            房间 | 干净* 宽敞* 舒适* 温馨 安静* | 脏* 小* 潮湿* 吵* 破旧*
            早餐 | 丰富* 可口* 好吃* 新鲜* | 单调* 难吃* 差* 凉
            前台 | 热情* 专业* 耐心* 客气* | 冷淡* 敷衍* 慢* 傲慢*
            位置 | 方便* 好找* 理想* | 偏僻* 偏* 难找*
            隔音 | 好* 出色* 到位 | 差* 糟糕*
            床 | 舒服* 柔软* 大* | 硬* 窄* 小*"""),
        ["我们住了两个晚上", "这次是出差住的", "我们到的时候已经很晚了", "房间在五楼", "这家酒店在火车站旁边"],
        PLACE_GOOD, PLACE_BAD),
    "restaurant": Domain(
        aspects("""
            味道 | 正宗* 鲜美* 地道* 好* | 一般 咸* 油腻* 奇怪* 淡
            菜 | 好吃* 新鲜* 精致* 入味 | 难吃* 凉 咸* 油腻*
            服务员 | 热情* 周到* 耐心* 细心* | 冷漠* 粗心* 慢* 敷衍*
            价格 | 实惠* 公道* 便宜* 合理* | 贵* 离谱 高*
            环境 | 优雅* 干净* 安静* 舒适* | 吵* 脏* 嘈杂* 拥挤*
            上菜 | 快* 及时* | 慢* 乱*"""),
        ["周末和朋友一起去的", "我们点了四个菜", "那天是我妈妈的生日", "我们提前一天订了位子", "这家店开在商场三楼"],
        PLACE_GOOD, PLACE_BAD),
    "film": Domain(
        aspects("""
            剧情 | 紧凑* 精彩* 感人* 合理* | 拖沓* 无聊* 老套* 混乱*
            演技 | 自然* 出色* 精湛* | 浮夸* 尴尬* 差* 生硬*
            画面 | 精美* 震撼* 唯美 细腻* | 粗糙* 昏暗* 模糊*
            配乐 | 动听* 好听* 合适* | 刺耳* 吵* 难听*
            台词 | 有趣* 幽默* 真实* | 空洞* 做作* 尴尬*
            结局 | 圆满* 感人* 合理* 精彩* | 草率* 牵强* 老套*"""),
        ["昨天晚上看的这部电影", "电影大概有两个小时", "是同事推荐我看的", "我是一个人去看的", "电影院里人不多"],
        STORY_GOOD, STORY_BAD),
    "phone": Domain(
        aspects("""
            屏幕 | 清晰* 亮* 细腻* | 模糊* 暗* 粗糙*
            电池 | 耐用* 给力* 持久* | 差* 糟糕*
            拍照 | 清晰* 漂亮* 快* | 模糊* 差* 慢*
            系统 | 流畅* 稳定* 快* | 卡* 慢* 复杂*
            手感 | 好* 舒服* | 差* 糟糕*
            信号 | 稳定* 强* 好* | 弱* 差*"""),
        ["手机用了两个月了", "是上个月买的", "平时主要用来工作", "我买的是蓝色的", "以前用的是别的牌子"],
        GOODS_GOOD, GOODS_BAD),
    "book": Domain(
        aspects("""
            文笔 | 流畅* 优美* 生动* | 晦涩* 啰嗦* 平淡*
            故事 | 有趣* 感人* 精彩* 动人* | 无聊* 老套* 沉闷*
            翻译 | 准确* 流畅* 自然* | 生硬* 糟糕* 粗糙*
            人物 | 鲜活* 生动* 真实* | 单薄* 苍白* 做作*
            纸张 | 厚实* 光滑* 好* | 薄* 粗糙* 差*
            印刷 | 清晰* 精美* | 模糊* 粗糙*"""),
        ["这本书是在地铁上读完的", "书是朋友送的", "全书大概三百页", "我是从图书馆借来的", "故事发生在一个小镇上"],
        STORY_GOOD, STORY_BAD),
    "shop": Domain(
        aspects("""
            包装 | 结实* 精致* 严实* | 简陋* 破* 马虎*
            物流 | 快* 及时* 给力* | 慢* 糟糕*
            客服 | 耐心* 热情* 专业* | 敷衍* 冷漠* 傲慢*
            质量 | 好* 可靠* 过硬* | 差* 糟糕*
            颜色 | 漂亮* 好看* 自然* | 难看* 暗* 奇怪*
            做工 | 精细* 扎实* 细致* | 粗糙* 马虎* 差*"""),
        ["东西是上周下单的", "这是第二次在这家店买", "我买了两件", "快递放在门口了", "是给孩子买的"],
        GOODS_GOOD, GOODS_BAD),
    "sight": Domain(
        aspects("""
            风景 | 美* 壮观* 迷人* 漂亮* | 普通* 单调* 一般
            门票 | 便宜* 实惠* 合理* | 贵* 离谱
            导游 | 幽默* 专业* 热情* 耐心* | 啰嗦* 敷衍* 冷漠*
            山路 | 好走* 平坦* | 难走* 陡* 危险*
            厕所 | 干净* 好找* | 脏* 臭* 难找*
            交通 | 方便* 便利* | 麻烦* 拥堵*"""),
        ["我们是国庆节去的", "那天下着小雨", "坐地铁就能到", "我们玩了一个下午", "景区早上八点开门"],
        PLACE_GOOD, PLACE_BAD),
}  # fmt: skip

DEGREES = ["很{}", "很{}", "非常{}", "特别{}", "真的很{}", "相当{}", "挺{}的", "太{}了", "十分{}", "确实{}"]
NEGATIONS = ["不{}", "一点也不{}", "一点都不{}", "并不{}", "算不上{}", "谈不上{}"]
LESS = ["没有想象中那么{}", "没有别人说的那么{}"]
LIKED = ["{}我很喜欢", "{}没有让人失望", "{}没有什么可挑剔的", "{}超出了我的预期", "对{}非常满意", "{}让人惊喜"]
DISLIKED = ["{}我不喜欢", "{}让人失望", "{}没有什么亮点", "{}低于我的预期", "对{}很不满意", "{}让人无法接受"]
CONTRASTS = [
    "虽然{weak}，但是{strong}", "虽然{weak}，不过{strong}", "尽管{weak}，但{strong}", "{weak}，但是{strong}",
    "{weak}，不过{strong}", "{weak}，然而{strong}", "{strong}，虽然{weak}", "{weak}，{weak2}，但是总的来说{strong}",
    "除了{weak}，其他都{overall}", "本来以为{claim}，没想到{reverse}", "网上都说{claim}，其实{reverse}",
]  # fmt: skip


class ReviewWriter:
    """Writes the clauses of one review about one kind of thing."""

    def __init__(self, rng: Rng, domain: Domain) -> None:
        self.rng = rng
        self.domain = domain
        self.unused = rng.shuffled(domain.aspects)

    def aspect(self) -> Aspect:
        """An aspect that this review has not spoken of."""
        return self.unused.pop()

    def statement(self, aspect: Aspect, positive: bool) -> str:
        """A clause that praises or blames the aspect by its name."""
        kind = self.rng.weighted({"plain": 6, "negated": 2, "less": 0.7})
        if kind == "negated":
            opposite = aspect.bad_negatable if positive else aspect.good_negatable
            return aspect.noun + self.rng.pick(NEGATIONS).format(self.rng.pick(opposite))
        if kind == "less":
            return aspect.noun + self.rng.pick(LESS).format(self.rng.pick(aspect.bad if positive else aspect.good))
        return aspect.noun + self.rng.pick(DEGREES).format(self.rng.pick(aspect.good if positive else aspect.bad))

    def clause(self, positive: bool) -> str:
        """A statement, or what the writer felt."""
        aspect = self.aspect()
        if self.rng.chance(0.2):
            return self.rng.pick(LIKED if positive else DISLIKED).format(aspect.noun)
        return self.statement(aspect, positive)

    def contrast(self, positive: bool) -> str:
        """Two opposite clauses, of which the main or the last one decides."""
        same = self.aspect()
        return self.rng.pick(CONTRASTS).format(
            weak=self.clause(not positive),
            weak2=self.clause(not positive),
            strong=self.clause(positive),
            overall="很好" if positive else "不好",
            claim=self.statement(same, not positive),
            reverse=self.statement(same, positive).removeprefix(same.noun),
        )

    def wish(self) -> str:
        """A wish, which blames with words of praise."""
        aspect = self.aspect()
        form = self.rng.pick(["要是{}再{}一点就好了", "希望{}能{}一些"])
        return form.format(aspect.noun, self.rng.pick(aspect.good_negatable))

    def core(self, positive: bool) -> str:
        """The sentence that carries the label."""
        kind = self.rng.weighted({"plain": 3, "same": 3.5, "contrast": 3, "wish": 0.3})
        if kind == "contrast":
            return self.contrast(positive)
        if kind == "wish" and not positive:
            return self.wish()
        if kind == "same":
            both = f"{self.clause(positive)}，{self.clause(positive)}"
            return f"不但{both.replace('，', '，而且', 1)}" if self.rng.chance(0.2) else both
        return self.clause(positive)

    def review(self, positive: bool) -> str:
        """A whole review."""
        sentences = [self.core(positive)]
        if self.rng.chance(0.5):
            sentences.insert(self.rng.integer(0, 1), self.rng.pick(self.domain.fillers))
        if self.rng.chance(0.3):
            verdicts = self.domain.good_verdicts if positive else self.domain.bad_verdicts
            sentences.append(self.rng.pick(verdicts))
        text = "".join(sentence + self.rng.weighted({"。": 8, "！": 1, "……": 0.2}) for sentence in sentences)
        return text.rstrip("。") if self.rng.chance(0.1) else text


def splits(rng: Rng, sizes: dict[str, int]) -> dict[str, list[tuple[str, str]]]:
    """Text and label for every split, the labels in equal parts."""
    seen: set[str] = set()
    result: dict[str, list[tuple[str, str]]] = {}
    for split, size in sizes.items():
        rows: list[tuple[str, str]] = []
        for positive, label in ((True, "positive"), (False, "negative")):

            def write(positive: bool = positive) -> str:
                return ReviewWriter(rng, rng.pick(list(DOMAINS.values()))).review(positive)

            rows += [(text, label) for text in unique(write, str, size // 2, seen)]
        result[split] = rng.shuffled(rows)
    return result
